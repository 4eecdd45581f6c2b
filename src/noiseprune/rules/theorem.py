"""What the paper's theorem asks for: every premise about the network, in one place.

Rules, draws, strengthenings and leaks add what they themselves keep away (their ``gaps``); `noiseprune.pruning.plan`
collects all.
"""

from __future__ import annotations

import numpy as np

from noiseprune.network import Network


def operator_gaps(network: Network) -> list[str]:
    """Say what keeps -A from being a sum of squares, one a pair and one a neuron, with one noise; empty where it is."""
    gaps = []
    if not network.symmetric:
        gaps.append("the network is directed")
    if not network.dominant:
        short = int(np.count_nonzero(network.dominance_margin < 0))
        gaps.append(f"{short} of {network.n_neurons} neurons have a leak below their total input")
    if not network.equal_noise:
        gaps.append("the neurons' noise differs")
    return gaps


def network_gaps(network: Network) -> list[str]:
    """Say what keeps the theorem from holding for a network; an empty list where it holds."""
    return operator_gaps(network) + (["the activation is tanh"] if network.activation == "tanh" else [])
