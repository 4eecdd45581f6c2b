"""Difference variances from the covariance itself, by dense algebra."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from noiseprune.errors import TooLarge, UnstableNetwork
from noiseprune.linalg.lyapunov import solve_lyapunov
from noiseprune.linalg.memory import gigabytes, need
from noiseprune.linalg.spectrum import spectral_abscissa
from noiseprune.network import Network, Synapses
from noiseprune.probes.base import DifferenceVariance
from noiseprune.randomness import Rng

MAX_SYMMETRIC = 20_000  # 3.2 GB and about two minutes on two cores
MAX_GENERAL = 6_000  # 1.7 GB and about two minutes on two cores
MAX_RELATIVE_ERROR = 1e-3  # a covariance whose rounding errors could be larger is no covariance: singular


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

    def measure(self, network: Network, *, rng: Rng = 0) -> DifferenceVariance:  # noqa: ARG002 - exact: nothing random
        """Measure v at every synapse.

        Raises
        ------
        UnstableNetwork
            Where the network has no stationary covariance.
        TooLarge
            Where the network is larger than `max_neurons`, or than memory.
        """
        symmetric = network.symmetric and network.equal_noise
        self._check_size(network.n_neurons, symmetric)
        if symmetric:
            values, source = _by_cholesky(network), "Exact (Cholesky inverse)"
        else:
            values, source = _by_lyapunov(network)
        return DifferenceVariance(values, None, network.synapses_per_link, None, source)

    def _check_size(self, n: int, symmetric: bool) -> None:
        size = 8.0 * n * n * (1 if symmetric else 6)
        limit = self.max_neurons or (MAX_SYMMETRIC if symmetric else MAX_GENERAL)
        if n > limit:
            raise TooLarge(
                f"the exact probe works with dense {n} x {n} matrices ({gigabytes(size)}) and stops at {limit} neurons: "
                f"allow it with probes.Exact(max_neurons={n}), or take a rule that needs no covariance"
            )
        need(size, f"the exact probe on {n} neurons", "use a machine with more, or a rule that needs no covariance")


def _by_cholesky(network: Network) -> NDArray[np.float64]:
    """V = (sigma^2 / 2) (M_ii + M_jj - 2 s M_ij), M = (-A)^-1."""
    M = inverse_lower(network)
    if M is None:
        raise unstable(network)
    v = _differences(M, network.links)
    v *= network.noise_std[0] ** 2 / 2
    return v


def inverse_lower(network: Network) -> NDArray[np.float64] | None:
    """Return (-A)^-1 of a symmetric network in the lower triangle of an n x n array; None where it is not stable.

    The array is C-ordered and LAPACK sees its transpose, so that the links, row by row, are read as they lie.
    """
    post, pre, weight = network.links
    n = network.n_neurons
    M = np.zeros((n, n))
    M[post, pre] = -weight
    M[np.diag_indices(n)] = network.leak
    _, info = scipy.linalg.lapack.dpotrf(M.T, lower=0, clean=0, overwrite_a=1)
    if info == 0:
        _, info = scipy.linalg.lapack.dpotri(M.T, lower=0, overwrite_c=1)
    if info != 0:
        return None
    # the trace of the inverse bounds its norm from above: an upper bound on the condition number for nothing
    condition = float(np.max(network.leak + network.total_input)) * M.trace()
    return M if condition * np.finfo(np.float64).eps < MAX_RELATIVE_ERROR else None


def _by_lyapunov(network: Network) -> tuple[NDArray[np.float64], str]:
    try:
        solution = solve_lyapunov(network.matrix().toarray().astype(np.float64), network.noise_std**2)
    except UnstableNetwork:
        raise unstable(network) from None
    return (
        _differences(solution.covariance, network.links),
        f"Exact (Lyapunov equation by {solution.method}, relative residual {solution.residual:.1e})",
    )


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


def unstable(network: Network) -> UnstableNetwork:
    """Say that a network has no stationary covariance, how far it is from one, and what to do."""
    abscissa = spectral_abscissa(network.matrix(), symmetric=network.symmetric, dense_limit=MAX_GENERAL)
    where = f"is {abscissa:+.4g} 1/s" if abscissa >= 0 else f"is zero up to rounding ({abscissa:.1e} 1/s)"
    return UnstableNetwork(
        f"the network is not stable, so noise drives it to no stationary state: the spectral abscissa of "
        f"A = W - diag(leak) {where} and must be negative; raise the leak by more than {max(abscissa, 0):.4g} 1/s, or "
        "weaken the weights (from a file: --content weights --base-leak 1.0 --gain 0.9)"
    )
