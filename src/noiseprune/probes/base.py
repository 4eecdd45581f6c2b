"""What every probe does: measure, at each existing synapse, how far noise moves its two neurons apart.

Which probe when:

- `Exact` solves for the covariance with dense algebra, O(n^3). The right one up to a few thousand neurons, and the
  oracle that all others are tested against.
- `Sketched` draws samples of the stationary state by iterative solves, O(m) a sample: 64 of them tell v to 18 %, which
  is enough to rank synapses. For any stable network, up to a hundred million pairs.
- `Simulated` runs the noisy network itself, linear or not. The one for rectified and tanh networks, with or without a
  drive, and for the biological experiment.
- `Recorded` takes activity that was measured elsewhere.

`probe="auto"` is Exact up to 5 000 neurons (2 000 where the network is directed or its noise unequal) and Sketched
beyond. Exact and Sketched measure the linear network A whatever the activation is; Simulated measures the network.

A probe's settings live in the object, its randomness in the call. What it returns holds values for existing synapses
only, so that nothing of size n x n need exist, and carries its uncertainty along.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from noiseprune.machine.randomness import Rng
from noiseprune.machine.speed import Cost
from noiseprune.network import Network


@dataclass(frozen=True)
class DifferenceVariance:
    """v_ij = Var(x_i - s_ij x_j) at each synapse, s_ij = sign(W_ij).

    Attributes
    ----------
    per_link : (n_links,) array
        One value a link, in the order of ``net.links``.
    relative_error : float or (n_links,) array
        Standard errors in units of the values; zero where the values are exact.
    synapses_per_link : int
        2 for a symmetric network, else 1.
    n_samples : int or None
        Independent samples behind the values; None where they are exact.
    source : str
        How the values were found, for a reader.
    report : dict
        What the probe says of its work: iterations, checks, biases; fit for strict JSON.
    """

    per_link: NDArray[np.float64]
    relative_error: float | NDArray[np.float64]
    synapses_per_link: int
    n_samples: int | None
    source: str
    report: dict[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> NDArray[np.float64]:
        """One value a synapse, (n_synapses,), in the order of ``net.synapses``."""
        return np.tile(self.per_link, self.synapses_per_link)

    @property
    def standard_error(self) -> NDArray[np.float64]:
        """One standard error a synapse, (n_synapses,); zero where the values are exact."""
        return np.tile(self.relative_error * self.per_link, self.synapses_per_link)


class Probe(Protocol):
    """A way to measure difference variances."""

    def measure(self, network: Network, *, rng: Rng = 0) -> DifferenceVariance:
        """Measure v at every synapse of `network`, driven by its own noise."""
        ...

    def memory(self, network: Network) -> float:
        """Bytes that measuring will take beside the network."""
        ...

    def cost(self, network: Network) -> Cost:
        """Estimate what measuring will take, before it starts."""
        ...
