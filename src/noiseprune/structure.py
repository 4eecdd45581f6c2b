"""What hangs together with what, whatever the weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from noiseprune.network import Network


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
    """N ln n / m, at most 1: about the density below which a random network of this size falls apart."""
    n = network.n_neurons
    return min(1.0, n * float(np.log(n)) / network.n_synapses) if network.n_synapses else 1.0
