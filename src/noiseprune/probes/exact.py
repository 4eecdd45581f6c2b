"""Difference variances from the covariance itself, by dense algebra."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseprune.dynamics.stationary import inverse_lower, stationary_covariance, unstable
from noiseprune.errors import TooLarge, UnstableNetwork
from noiseprune.linalg.moments import DenseMoments
from noiseprune.machine import limits
from noiseprune.machine.memory import gigabytes, require_memory
from noiseprune.machine.randomness import Rng
from noiseprune.machine.speed import Cost, seconds_an_operation
from noiseprune.network import Network, Synapses
from noiseprune.network.units import Units
from noiseprune.probes.base import ONLY_V, Measurement, Quantity, leave


@dataclass(frozen=True)
class Exact:
    """Difference variances from the stationary covariance, exact up to rounding.

    A symmetric network with equal noise has C = (sigma^2 / 2) (-A)^-1: one Cholesky inverse in place, read from one
    triangle. Any other has the solution of A C + C A^T = -diag(sigma^2).

    Parameters
    ----------
    max_neurons : int, optional
        Refuse larger networks; by default 20 000 by Cholesky and 6 000 otherwise.

    Notes
    -----
    O(n^3) operations; one n x n array where symmetric, six otherwise. The covariance is that of the linear network
    whatever the activation is.

    Examples
    --------
    Two neurons with a leak of 1 and a synapse of weight w each way: v = sigma^2 / (1 + w).

    >>> from noiseprune import Network
    >>> Exact().measure(Network([[0, 0.5], [0.5, 0]], leak=1.0)).value
    array([0.66666667, 0.66666667])
    """

    max_neurons: int | None = None

    def measure(
        self,
        network: Network,
        *,
        rng: Rng = 0,  # noqa: ARG002 - exact: nothing random
        quantities: Sequence[Quantity] = ONLY_V,
    ) -> Measurement:
        """Measure v at every synapse, and what else is asked for.

        Raises
        ------
        UnstableNetwork
            Where the network has no stationary covariance.
        DidNotConverge
            Where rounding leaves too little of the solution.
        TooLarge
            Where the network is larger than `max_neurons`, or than memory.
        """
        symmetric = network.symmetric and network.equal_noise
        self._check_size(network.n_neurons, symmetric)
        units = Units.of(network)
        inside = units.enter(network)
        scale = inside.noise_std[0] ** 2 / 2 if symmetric else 1.0
        try:
            if symmetric:
                C, source = _by_cholesky(inside), "Exact (Cholesky inverse)"
            else:
                C, how = stationary_covariance(inside)
                source = f"Exact ({how})"
        except UnstableNetwork:
            raise unstable(network) from None  # in the network's own units
        v = _differences(C, inside.links)
        v *= scale
        more: dict[str, Any] = {}
        if "variance" in quantities:
            more["neuron_variance"] = scale * C.diagonal()
        if "second_moments" in quantities:
            whole = C + np.tril(C, -1).T if symmetric else C
            more["second_moments"] = DenseMoments(scale * whole)
        return leave(units, Measurement(v, 0.0, network.synapses_per_link, None, source, **more))

    def memory(self, network: Network) -> float:
        """Bytes beside the network."""
        return _size(network.n_neurons, network.symmetric and network.equal_noise)

    def cost(self, network: Network) -> Cost:
        """Estimate memory and time, from the time of a small matrix product."""
        n, symmetric = network.n_neurons, network.symmetric and network.equal_noise
        # n^3 operations by Cholesky at half the speed of a product; 6 n^3 a doubling, of which there are about 15
        operations = 2.0 * n**3 if symmetric else 90.0 * n**3
        return Cost(self.memory(network), operations * seconds_an_operation())

    def _check_size(self, n: int, symmetric: bool) -> None:
        size = _size(n, symmetric)
        limit = self.max_neurons or (limits.EXACT_BY_CHOLESKY if symmetric else limits.EXACT_BY_LYAPUNOV)
        if n > limit:
            raise TooLarge(
                f"the exact probe works with dense {n} x {n} matrices ({gigabytes(size)}) and stops at {limit} neurons: "
                f"allow it with probes.Exact(max_neurons={n}), or take a rule that needs no covariance"
            )
        require_memory(
            size, f"the exact probe on {n} neurons", "use a machine with more, or a rule that needs no covariance"
        )


def _size(n: int, symmetric: bool) -> float:
    return 8.0 * n * n * (1 if symmetric else 6)


def _by_cholesky(network: Network) -> NDArray[np.float64]:
    """Return (-A)^-1, (2 / sigma^2) C, in the lower triangle."""
    M = inverse_lower(network)
    if M is None:
        raise UnstableNetwork
    return M


def _differences(C: NDArray[np.float64], links: Synapses) -> NDArray[np.float64]:
    """C_ii + C_jj - 2 s_ij C_ij at the links."""
    post, pre, weight = links
    diagonal = C.diagonal().copy()
    v = C[post, pre]
    v *= np.sign(weight)
    v *= -2
    v += diagonal[post]
    v += diagonal[pre]
    return v
