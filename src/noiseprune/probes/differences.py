"""What probes that sample share: differences at the links, and how many independent samples they are worth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseprune.linalg import kernels
from noiseprune.linalg.blocks import Block, parts
from noiseprune.network import Network

Floats = NDArray[np.float64]

WATCHED = 2_000  # links at which independent samples are counted


class Links:
    """The links of a network, and differences of states at them."""

    def __init__(self, network: Network, dtype: Any) -> None:
        self.synapses = network.links
        self._parts = parts(network.link_matrix.astype(dtype))
        self._rows = kernels.chunks(network.link_matrix.indptr)

    def add_difference_squares(self, x: Block, total: Floats) -> None:
        """Add sum_v (x_iv - s x_jv)^2 to the total of each link."""
        kernels.add_difference_squares(self._parts, self._rows, x, total)

    def mean_square(self, x: Block) -> float:
        """Return the mean squared difference over links and columns."""
        total = np.zeros(self.synapses.weight.size)
        self.add_difference_squares(x, total)
        return float(total.mean()) / x.shape[1]


class SampleCounter:
    """Counts how many independent samples the states of a probe are worth, at links drawn at random and at those moved most.

    The k replicas are independent. At a link where the mean of one replica over time varies by a share of r between
    replicas, all of them together are worth 2 k / r independent Gaussian samples.

    Parameters
    ----------
    links : Links
        Of which up to `WATCHED` are watched.
    replicas : int
        Columns of a state; two or more.
    seed : int
        Chooses the links.
    """

    def __init__(self, links: Links, replicas: int, seed: int) -> None:
        m = links.synapses.weight.size
        chosen = np.random.default_rng([seed, 2]).choice(m, min(m, WATCHED), replace=False)
        post, pre, weight = (part[np.sort(chosen)] for part in links.synapses)
        self._ends, self._sign = (post, pre), np.sign(weight)[:, None]
        self._total = np.zeros((chosen.size, replicas))
        self._steps = 0

    def add(self, state: Block) -> None:
        """Take in one state."""
        post, pre = self._ends
        self._total += (state[post] - self._sign * state[pre]).astype(np.float64) ** 2
        self._steps += 1

    def independent_samples(self) -> float:
        """Return the samples that all states so far are worth, the fewer of both kinds of links."""
        v = self._total.mean(axis=1)
        spread = self._total.var(axis=1, ddof=1) / np.maximum(v, np.finfo(np.float64).tiny) ** 2
        most = v >= np.quantile(v, 0.9)
        return float(min(2 * self._total.shape[1] / max(np.mean(part), 1e-300) for part in (spread, spread[most])))
