"""The balance between a neuron's leak and its total input."""

from __future__ import annotations

from typing import Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from noiseprune.network import Network
from noiseprune.network.links import absolute_row_sums

Leak = Literal["matched", "original", "fitted"]
LEAKS: tuple[Leak, ...] = ("matched", "original", "fitted")

Floats = NDArray[np.float64]

# A neuron without excess that loses all its synapses would be left without leak. It keeps a thousandth: slow, but with
# a stationary variance. The same share starts the fitted leak, which could not leave zero either.
FLOOR = 1e-3


def gaps(leak: Leak) -> list[str]:
    """Say what keeps the paper's theorem from covering a leak; an empty list where it does."""
    return [] if leak == "matched" else [f"the leak is {leak}"]


def matched(network: Network, links: sp.csr_array) -> Floats:
    """D'_i = D_i - sum_j |W_ij| + sum_j |W'_ij|, not below the floor: homeostasis.

    Parameters
    ----------
    network : Network
        The network before pruning.
    links : (n_neurons, n_neurons) csr_array
        The links that stay, with their new weights.

    Returns
    -------
    (n_neurons,) array, 1/s
        Leaks of the pruned network. A dominant network stays dominant, hence stable (Gershgorin).
    """
    return np.maximum(network.dominance_margin + absolute_row_sums(links, network.symmetric), floor(network))


def floor(network: Network) -> Floats:
    """Return the least leak of each neuron, (n_neurons,): its excess where it has one, else a thousandth of its leak."""
    return np.where(network.has_excess, network.dominance_margin, FLOOR * network.leak)


def n_floored(before: Network, after: Network) -> int:
    """Count the neurons whose matched leak would have fallen below the floor, and are held there."""
    least = floor(before)
    held = (after.leak == least) & (before.dominance_margin + after.total_input < least)
    return int(np.count_nonzero(held))
