"""What hangs together with what, whatever the weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from noiseprune.network.type import Network


def components(network: Network) -> int:
    """Count connected components, whatever the direction of synapses."""
    from scipy.sparse.csgraph import connected_components

    return int(connected_components(network.link_matrix, directed=False, return_labels=False))


def has_input_and_output(network: Network) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say which neurons have an input and which have an output, (n_neurons,) each."""
    post, pre, _ = network.links
    receives, sends = (np.bincount(ends, minlength=network.n_neurons) > 0 for ends in (post, pre))
    return (receives | sends, receives | sends) if network.symmetric else (receives, sends)


def connectivity_density(network: Network) -> float:
    """Return n ln n / m, at most 1: where a random network falls apart or, directed, loses inputs and outputs.

    A directed one holds together, whatever the direction of its synapses, down to about half of it.

    References
    ----------
    P. Erdős and A. Rényi, "On random graphs I", Publ. Math. Debrecen 6 (1959) 290-297.
    """
    n = network.n_neurons
    return min(1.0, n * float(np.log(n)) / network.n_synapses) if network.n_synapses else 1.0


def component_sizes(network: Network) -> NDArray[np.intp]:
    """Neurons in each connected component, largest first, (n_components,)."""
    return np.sort(np.bincount(_component_of(network)))[::-1]


def newly_disconnected(before: Network, after: Network) -> NDArray[np.bool_]:
    """Say which neurons lost their last input or their last output, (n_neurons,)."""
    (had_input, had_output), (has_input, has_output) = map(has_input_and_output, (before, after))
    return (had_input & ~has_input) | (had_output & ~has_output)


def _component_of(network: Network) -> NDArray[np.intp]:
    from scipy.sparse.csgraph import connected_components

    return np.asarray(connected_components(network.link_matrix, directed=False)[1], dtype=np.intp)
