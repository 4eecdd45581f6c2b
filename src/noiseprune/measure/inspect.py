"""What a network is, before anything is done to it."""

from __future__ import annotations

from typing import Any

import numpy as np

from noiseprune.dynamics.stationary import is_stable
from noiseprune.errors import DidNotConverge
from noiseprune.linalg.spectrum import spectral_abscissa
from noiseprune.machine import limits
from noiseprune.machine.memory import gigabytes
from noiseprune.network import Network
from noiseprune.network.structure import components, connectivity_density, has_input_and_output
from noiseprune.probes import PROBES, Exact
from noiseprune.rules import Noise, theorem
from noiseprune.rules.budget import Budget, keep_probability

SHOWN = 3  # labels, by which a person sees whether the right column was taken
EPSILON = 0.5  # of the theorem, in the hint


def inspect(network: Network) -> dict[str, Any]:
    """Collect what decides how a network can be pruned.

    Returns
    -------
    dict
        Counts, weights, labels, symmetry, dominance, spectral abscissa (None where it was not found), memory of each
        probe, and hints: whether the paper's theorem holds, the density that connectivity needs, and the one that
        epsilon = 0.5 asks for.
    """
    weight = network.synapses.weight
    n = network.n_neurons
    has_input, has_output = has_input_and_output(network)
    try:
        abscissa = spectral_abscissa(
            network.matrix(), symmetric=network.symmetric, dense_limit=limits.INSPECTED_SPECTRUM
        )
    except DidNotConverge:
        abscissa = None
    gaps = theorem.network_gaps(network)
    return {
        "n_neurons": n,
        "n_synapses": network.n_synapses,
        "connection_density": network.n_synapses / (n * (n - 1)) if n > 1 else None,
        "symmetric": network.symmetric,
        "total_weight": float(np.sum(weight, dtype=np.float64)),
        "smallest_weight": float(weight.min()) if len(weight) else None,
        "largest_weight": float(weight.max()) if len(weight) else None,
        "first_labels": [network.name(k) for k in range(min(SHOWN, n))] if network.labels is not None else None,
        "positive_synapses": int(np.count_nonzero(weight > 0)),
        "negative_synapses": int(np.count_nonzero(weight < 0)),
        "neurons_whose_outputs_differ_in_sign": _mixed(network),
        "neurons_without_input": int(np.count_nonzero(~has_input)),
        "neurons_without_output": int(np.count_nonzero(~has_output)),
        "isolated_neurons": int(np.count_nonzero(~(has_input | has_output))),
        "components": components(network),
        "diagonally_dominant": network.dominant,
        "equal_noise": network.equal_noise,
        "spectral_abscissa": abscissa,
        "spectral_abscissa_found_by": "dense algebra" if n <= limits.INSPECTED_SPECTRUM else "iteration",
        "stable": is_stable(network, abscissa),
        "theorem_holds": not gaps,
        "theorem_gaps": "; ".join(gaps) or None,
        "density_that_connectivity_needs": connectivity_density(network) or None,
        "density_that_epsilon_0.5_asks_for": None if gaps else _density_of(EPSILON, network),
        "memory_of_probes": {name: gigabytes(probe().memory(network)) for name, probe in PROBES.items()},
    }


def _mixed(network: Network) -> int:
    """Count neurons that excite some and inhibit others, which Dale's law excludes."""
    _, pre, weight = network.synapses
    excites, inhibits = (np.bincount(pre[sign], minlength=network.n_neurons) > 0 for sign in (weight > 0, weight < 0))
    return int(np.count_nonzero(excites & inhibits))


def _density_of(epsilon: float, network: Network) -> float | None:
    """Return the share that the theorem keeps for an error; for large networks its bound, 4 n ln n / epsilon^2."""
    if not network.n_links:
        return None
    if network.n_neurons > limits.INSPECTED_SPECTRUM:
        n = network.n_neurons
        return min(1.0, 4 * n * float(np.log(n)) / (epsilon**2 * network.n_links))
    r = Noise().importance(network, Exact().measure(network))
    expected = keep_probability(r, network, Budget(epsilon=epsilon)).expected_synapses
    return expected / network.n_synapses
