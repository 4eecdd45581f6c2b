"""Units in which the rates and the noise of any network are near one, so that no solver leaves the range of numbers.

A network with weights W, leak D and noise sigma behaves as one with W / r, D / r and sigma / s does, r times as fast;
its covariance is s^2 / r times the other's. With powers of two the way there and back is exact.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noiseprune.errors import InvalidNetwork
from noiseprune.network.type import Network

LARGEST = 1000  # binary orders of magnitude of rates whose inverse, a time, is a number with room to spare
ORDINARY = 32  # binary orders of magnitude around one, within which networks stay as they are


class Units(NamedTuple):
    """Exponents of two: the unit of rates is 2^rate 1/s, that of noise 2^noise. A `rate` is even, which keeps roots exact."""

    rate: int = 0
    noise: int = 0

    @classmethod
    def of(cls, network: Network) -> Units:
        """Choose the units of a network: those that it has, where its typical leak and noise are ordinary numbers."""
        rate, noise = _order(network.leak), _order(network.noise_std[network.noise_std > 0])
        return cls(2 * round(rate / 2), noise)

    @property
    def variance(self) -> int:
        """The unit of variances."""
        return 2 * self.noise - self.rate

    def enter(self, network: Network) -> Network:
        """Return a network in these units.

        Raises
        ------
        InvalidNetwork
            Where its numbers span too much for any units.
        """
        if not any(self):
            return network
        if abs(self.rate) > LARGEST:
            raise InvalidNetwork(
                f"leaks of this network, such as {network.leak[0]:g} 1/s, are so near to the end of the numbers that times are "
                "none: give leak and weights in other units"
            )
        links = network.link_matrix
        links.data = _scaled(links.data, -self.rate, "weight")
        leak = _scaled(network.leak, -self.rate, "leak")
        return network.replace(links=links, leak=leak, noise_std=_scaled(network.noise_std, -self.noise, "noise_std"))

    def leave(self, network: Network) -> Network:
        """Return a network that is in these units in those that it had."""
        return Units(-self.rate, -self.noise).enter(network)

    def variances(self, found: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        """Return variances that were found in these units in those that the network had."""
        return _scaled(found, self.variance, name) if self.variance else found

    def covariance(self, found: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a covariance that was found in these units in those that the network had."""
        if self.variance:
            _scaled(found.diagonal(), self.variance, "variance")
            found = np.ldexp(found, self.variance)
        return found


def scaled(value: float | None, exponent: int) -> float | None:
    """Return value * 2^exponent."""
    return None if value is None else float(np.ldexp(value, exponent))


def _order(values: NDArray[np.float64]) -> int:
    """Return the typical binary order of magnitude of positive numbers; zero where it is an ordinary one."""
    order = int(np.median(np.frexp(values)[1]))
    return order if abs(order) > ORDINARY else 0


def _scaled(values: NDArray[Any], exponent: int, name: str) -> NDArray[Any]:
    with np.errstate(over="ignore", under="ignore"):
        found: NDArray[Any] = np.ldexp(values, exponent)
    lost = np.flatnonzero(~np.isfinite(found) | ((found == 0) & (values != 0)))
    if lost.size:
        raise InvalidNetwork(
            f"the leak, weights and noise of this network span more than the range of numbers: a {name} of "
            f"{values[lost[0]]:g} times 2^{exponent} is no number: give them in other units, so that leaks, or "
            "noise_std^2 / leak, lie nearer to one"
        )
    return found
