"""What every probe does: measure, at each existing synapse, how far noise moves its two neurons apart.

Which probe when:

- `Exact` solves for the covariance with dense algebra, O(n^3). The right one up to a few thousand neurons, and the
  oracle that all others are tested against.

A probe's settings live in the object, its randomness in the call. What it returns holds values for existing synapses
only, so that nothing of size n x n need exist, and carries its uncertainty along.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from noiseprune.network import Network
from noiseprune.randomness import Rng


@dataclass(frozen=True)
class DifferenceVariance:
    """v_ij = Var(x_i - s_ij x_j) at each synapse, s_ij = sign(W_ij).

    Attributes
    ----------
    per_link : (n_links,) array
        One value a link, in the order of ``net.links``.
    per_link_error : (n_links,) array
        Standard errors; zero where the values are exact.
    synapses_per_link : int
        2 for a symmetric network, else 1.
    n_samples : int or None
        Independent samples behind the values; None where they are exact.
    source : str
        How the values were found, for a reader.
    """

    per_link: NDArray[np.float64]
    per_link_error: NDArray[np.float64]
    synapses_per_link: int
    n_samples: int | None
    source: str

    @property
    def value(self) -> NDArray[np.float64]:
        """One value a synapse, (n_synapses,), in the order of ``net.synapses``."""
        return np.tile(self.per_link, self.synapses_per_link)

    @property
    def standard_error(self) -> NDArray[np.float64]:
        """One standard error a synapse, (n_synapses,); zero where the values are exact."""
        return np.tile(self.per_link_error, self.synapses_per_link)


class Probe(Protocol):
    """A way to measure difference variances."""

    def measure(self, network: Network, *, rng: Rng = 0) -> DifferenceVariance:
        """Measure v at every synapse of `network`, driven by its own noise."""
        ...
