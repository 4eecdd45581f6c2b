"""What a network is, before anything is done to it."""

from __future__ import annotations

from typing import Any

import numpy as np

from noiseprune.covariance import is_stable
from noiseprune.errors import DidNotConverge
from noiseprune.linalg.spectrum import spectral_abscissa
from noiseprune.network import Network
from noiseprune.rule.budget import theorem_gaps
from noiseprune.structure import components, connectivity_density, has_input_and_output

DENSE_LIMIT = 2_000  # neurons: a whole spectrum in seconds


def inspect(network: Network) -> dict[str, Any]:
    """Collect what decides how a network can be pruned.

    Returns
    -------
    dict
        Counts, symmetry, dominance, spectral abscissa (None where it was not found), and hints: the density that
        connectivity needs, whether the paper's theorem holds.
    """
    weight = network.synapses.weight
    n = network.n_neurons
    has_input, has_output = has_input_and_output(network)
    try:
        abscissa = spectral_abscissa(network.matrix(), symmetric=network.symmetric, dense_limit=DENSE_LIMIT)
    except DidNotConverge:
        abscissa = None
    gaps = theorem_gaps(network)
    return {
        "n_neurons": n,
        "n_synapses": network.n_synapses,
        "density_of_the_matrix": network.n_synapses / (n * (n - 1)) if n > 1 else None,
        "symmetric": network.symmetric,
        "positive_synapses": int(np.count_nonzero(weight > 0)),
        "negative_synapses": int(np.count_nonzero(weight < 0)),
        "neurons_without_input": int(np.count_nonzero(~has_input)),
        "neurons_without_output": int(np.count_nonzero(~has_output)),
        "isolated_neurons": int(np.count_nonzero(~(has_input | has_output))),
        "components": components(network),
        "diagonally_dominant": network.dominant,
        "equal_noise": network.equal_noise,
        "spectral_abscissa": abscissa,
        "stable": is_stable(network, abscissa),
        "theorem_holds": not gaps,
        "theorem_gaps": "; ".join(gaps) or None,
        "density_that_connectivity_needs": connectivity_density(network) or None,
    }
