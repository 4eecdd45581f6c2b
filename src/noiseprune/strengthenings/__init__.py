"""The weights of the synapses that stay: the paper's 1/p, and two that go on from there.

- *reciprocal* reads a synapse's own weight and keep probability. Unbiased, and noisy.
- *matched* lets each synapse see its difference variance again, later: synapse-local. Symmetric, dominant networks.
- *regressed* lets each neuron refit its inputs, seeing the second moments of those inputs: neuron-local. Any network.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from noiseprune.dynamics.stationary import has_stationary_state
from noiseprune.errors import UnstableNetwork
from noiseprune.network import Network
from noiseprune.network.units import Units
from noiseprune.probes import DifferenceVariance, Exact, Probe, Sketched
from noiseprune.rules import leak as balancing
from noiseprune.strengthenings.base import STRENGTHENS, Strengthen, Strengthened, as_drawn, reciprocal
from noiseprune.strengthenings.matching import matched, matched_with_free_leak
from noiseprune.strengthenings.regression import RIDGE, regressed, second_moments

__all__ = [
    "STRENGTHENS",
    "Strengthen",
    "Strengthened",
    "apply",
    "matched",
    "matched_with_free_leak",
    "reciprocal",
    "regressed",
    "second_moments",
]


def apply(
    method: Strengthen,
    network: Network,
    start: sp.csr_array,
    kept: NDArray[np.bool_],
    *,
    leak: balancing.Leak,
    variance: DifferenceVariance | None,
    probe: Probe,
    or_reciprocal: bool,
    rng: np.random.Generator,
) -> Strengthened:
    """Strengthen the links that stay and balance the leak, by any method.

    Parameters
    ----------
    method : str
        One of `STRENGTHENS`.
    network : Network
        The original.
    start : (n_neurons, n_neurons) csr_array
        The links that stay, weights 1/p times the original's.
    kept : (n_links,) array of bool
        Which links of the original these are.
    leak : str
        One of the leak rules.
    variance : DifferenceVariance or None
        Of the original; for "matched".
    probe, rng
        For "matched", and for the samples of "regressed".
    or_reciprocal : bool
        Take "reciprocal" in place of "regressed" where the original itself is not stable.

    Raises
    ------
    UnstableNetwork
        Where a method needs a stationary state that is not there, or none of what was tried is stable.
    """
    if method == "matched" and variance is not None:
        return _matched(network, start, kept, leak, variance, probe, rng)
    if method == "reciprocal":
        return as_drawn(network, start, leak)
    known_stable = variance is not None and isinstance(probe, Exact | Sketched)  # they refuse what is not
    if or_reciprocal and not known_stable and not has_stationary_state(network):
        done = as_drawn(network, start, "matched" if network.dominant else "original")
        return done._replace(report={"reciprocal": "the original is not stable, so no regression can be asked to be"})
    units = Units.of(network)
    inside = units.enter(network)
    for done in _regressions(inside, units.enter(network.replace(links=start)).link_matrix, leak, rng):
        made = inside.replace(links=done.links, leak=done.leak)
        if has_stationary_state(made):
            found = units.leave(made)
            return done._replace(links=found.link_matrix, leak=found.leak)
    raise UnstableNetwork(
        "no regressed weights of the kept synapses leave the network stable: its own leak is too small, or a piece was cut off "
        "and has no excess leak. Keep more (a higher density), keep it in one piece (keep_connected=True, --keep-connected), "
        "keep the leak (leak='original'), or take strengthen='reciprocal', which returns what the draw made, stable or not"
    )


def _matched(
    network: Network,
    start: sp.csr_array,
    kept: NDArray[np.bool_],
    leak: balancing.Leak,
    variance: DifferenceVariance,
    probe: Probe,
    rng: np.random.Generator,
) -> Strengthened:
    errors = np.broadcast_to(variance.relative_error, kept.shape)[kept]
    typical = float(np.sqrt(np.mean(errors**2))) if errors.size else 0.0
    try:
        if leak == "free":
            return matched_with_free_leak(network, start)
        return matched(network, start, variance.per_link[kept], probe, target_error=typical, rng=rng)
    except UnstableNetwork:
        raise UnstableNetwork(
            "what the draw kept has no stationary state, so there is nothing to match: a piece was cut off and has no "
            "excess leak. Keep the network in one piece (keep_connected=True, --keep-connected) or more of it"
        ) from None


def _regressions(
    network: Network, start: sp.csr_array, leak: balancing.Leak, rng: np.random.Generator
) -> Iterator[Strengthened]:
    """Yield the regression, then ever more shrunk ones: towards zero, where every network is stable."""
    moments = second_moments(network, rng=rng)
    for ridge, towards_start in ((RIDGE, True), (RIDGE, False), (10 * RIDGE, False), (100 * RIDGE, False)):
        done = regressed(network, start, moments, free_leak=leak == "free", ridge=ridge, towards_start=towards_start)
        if leak == "matched":
            done = done._replace(leak=balancing.matched(network, done.links))
        yield done
