"""A network before and after, and the spectra that pictures show of both, computed once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from noiseprune.dynamics.stationary import is_stable
from noiseprune.errors import InvalidNetwork, TooLarge, UnstableNetwork
from noiseprune.machine import limits
from noiseprune.measure.result import Comparison
from noiseprune.measure.spectrum import nearest_first
from noiseprune.network import Network


class Pair:
    """What has an `original` and a `network` of the same neurons, and perhaps a `comparison` of the two."""

    original: Network
    network: Network
    comparison: Comparison | None
    provenance: dict[str, Any]

    def noted(self, **more: Any) -> Self:
        """Return a copy whose provenance, and with it the network's origin, holds more."""
        record = {**self.provenance, **more}
        changed: Any = replace(self, network=self.network.replace(origin=record), provenance=record)  # type: ignore[type-var]
        return changed

    @cached_property
    def eigenvalues(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """The eigenvalues of A and of A', nearest zero first, (n_neurons,) each; real where both are symmetric.

        Raises
        ------
        TooLarge
            Where dense algebra would take minutes.
        """
        if self.comparison is not None and self.comparison.spectra is not None:
            return self.comparison.spectra.before, self.comparison.spectra.after
        return eigenvalues(self.original), eigenvalues(self.network)

    @cached_property
    def directions(self) -> NDArray[np.float64]:
        """The generalised eigenvalues of (-A', -A) of symmetric networks, smallest first, (n_neurons,).

        Raises
        ------
        InvalidNetwork, UnstableNetwork, TooLarge
            Where there are none, or not in reasonable time.
        """
        if not (self.original.symmetric and self.network.symmetric):
            raise InvalidNetwork("a worst direction belongs to symmetric networks, and this one is directed")
        known = None if self.comparison is None else self.comparison.spectra
        if known is not None and known.directions is not None:
            return known.directions
        if not is_stable(self.original, float(self.eigenvalues[0].max())):
            raise UnstableNetwork("there is no worst direction, since the original is not stable")
        after, before = (-net.matrix().toarray().astype(np.float64) for net in (self.network, self.original))
        try:
            return np.asarray(scipy.linalg.eigh(after, before, eigvals_only=True, overwrite_a=True, overwrite_b=True))
        except np.linalg.LinAlgError:
            raise UnstableNetwork("there is no worst direction, since A is singular up to rounding") from None


@dataclass(frozen=True)
class Compared(Pair):
    """Two networks of the same neurons that `noiseprune.compare` has compared."""

    original: Network
    network: Network
    comparison: Comparison
    provenance: dict[str, Any] = field(default_factory=dict)


def eigenvalues(network: Network) -> NDArray[Any]:
    """Return all eigenvalues of A by dense algebra, nearest zero first, (n_neurons,), 1/s.

    Raises
    ------
    TooLarge
        Where the network is too large for dense algebra.
    """
    n, limit = network.n_neurons, limits.SYMMETRIC_SPECTRUM if network.symmetric else limits.DIRECTED_SPECTRUM
    if n > limit:
        raise TooLarge(f"the whole spectrum takes dense algebra, which stops at {limit:,} neurons; there are {n:,}")
    A = network.matrix().toarray().astype(np.float64)
    if network.symmetric:
        found: NDArray[Any] = scipy.linalg.eigvalsh(A, driver="evd", overwrite_a=True)
    else:
        found = scipy.linalg.eigvals(A, overwrite_a=True)
    return nearest_first(found)
