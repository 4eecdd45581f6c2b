"""The Lyapunov equation A C + C A^T = -Q by BLAS-3 operations alone.

Bartels-Stewart, the usual way, spends its time in an unblocked Schur decomposition. The Cayley transform turns the
equation into a Stein equation, whose solution is a power series that squaring sums in a few matrix products.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from noiseprune.errors import UnstableNetwork

logger = logging.getLogger("noiseprune")

TOLERANCE = 1e-10  # largest relative residual of a solution that is returned
MAX_DOUBLINGS = 40  # 2^40 terms: an abscissa of 1e-12 times the norm; further out Bartels-Stewart is no better


class LyapunovSolution(NamedTuple):
    """A solution (n, n), its relative residual ||A C + C A^T + Q||_F / ||Q||_F, and how it was found."""

    covariance: NDArray[np.float64]
    residual: float
    method: str


def solve_lyapunov(A: NDArray[np.float64], q: NDArray[np.float64]) -> LyapunovSolution:
    """Solve A C + C A^T = -diag(q) for a stable A.

    With p > 0 and Phi = (A - pI)^-1 (A + pI) the equation is the same as C = Phi C Phi^T + 2p R R^T, with
    R = (A - pI)^-1 diag(q)^(1/2). So C is the sum of Phi^k (2p R R^T) Phi^kT, and k squarings of Phi sum 2^k terms.

    Parameters
    ----------
    A : (n, n) array
        The operator.
    q : (n,) array
        Noise variances, zero or positive.

    Returns
    -------
    LyapunovSolution
        Where doubling misses the tolerance, the solution of Bartels-Stewart, and `method` says so.

    Raises
    ------
    UnstableNetwork
        Where an eigenvalue of A has no negative real part. The powers of Phi then do not vanish.

    Notes
    -----
    Costs 6 n^3 operations a doubling, about log2(1 / (1 - |largest eigenvalue of Phi|)) + 5 doublings; six n x n
    arrays of memory.

    References
    ----------
    R. A. Smith, "Matrix equation XA + BX = C", SIAM J. Appl. Math. 16 (1968) 198-201; R. H. Bartels and G. W. Stewart,
    "Solution of the matrix equation AX + XB = C", Commun. ACM 15 (1972) 820-826.
    """
    covariance = _doubling(A, q)
    residual = np.inf if covariance is None else _relative_residual(A, covariance, q)
    if covariance is not None and residual <= TOLERANCE:
        return LyapunovSolution(covariance, residual, "Cayley transform and doubling")
    abscissa = float(np.max(scipy.linalg.eigvals(A).real))
    if abscissa >= -len(A) * np.finfo(np.float64).eps * np.linalg.norm(A):
        raise UnstableNetwork(f"its spectral abscissa is {abscissa:+.3g}")
    logger.warning("doubling left a relative residual of %.1e; using Bartels-Stewart", residual)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # SciPy's word for ill-conditioned; the residual tells
        fallback = np.asarray(scipy.linalg.solve_continuous_lyapunov(A, -np.diag(q)), dtype=np.float64)
    fallback = (fallback + fallback.T) / 2
    fallback_residual = _relative_residual(A, fallback, q)
    if covariance is not None and residual <= fallback_residual:
        return LyapunovSolution(covariance, residual, "Cayley transform and doubling, above its tolerance")
    return LyapunovSolution(fallback, fallback_residual, "Bartels-Stewart (doubling missed its tolerance)")


def _doubling(A: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Sum the series by squaring; None where the powers of Phi do not vanish."""
    n = A.shape[0]
    shift = _shift(A)
    # (A - pI)^-1 (A + pI) = I + 2p (A - pI)^-1: one inverse gives both Phi and R
    Phi = np.linalg.inv(A - shift * np.eye(n))
    R = Phi * np.sqrt(2 * shift * q)
    C = R @ R.T
    del R
    Phi *= 2 * shift
    Phi[np.diag_indices(n)] += 1
    with np.errstate(over="ignore", invalid="ignore"):
        for _ in range(MAX_DOUBLINGS):
            added = Phi @ C @ Phi.T
            C += added
            share = np.linalg.norm(added) / np.linalg.norm(C)
            if not np.isfinite(share):
                return None
            # The next doubling would add about share^2, which is below rounding. A power of Phi with a norm below 1/2
            # proves that A is stable, also in directions that the noise does not reach.
            if share < 1e-9 and np.linalg.norm(Phi) < 0.5:
                return np.asarray((C + C.T) / 2)
            Phi = Phi @ Phi
    return None


def _shift(A: NDArray[np.float64]) -> float:
    """Return the geometric mean of the largest and the smallest |eigenvalue|, by a few power iterations each.

    A shift that is wrong by a factor of two costs about one more doubling, so rough is enough.
    """
    start = np.random.default_rng(0).standard_normal((A.shape[0],))
    try:
        return float(np.sqrt(_growth(A, start) / _growth(np.linalg.inv(A), start)))
    except np.linalg.LinAlgError:  # A is singular, hence not stable: any shift will show it
        return float(np.linalg.norm(A))


def _growth(matrix: NDArray[Any], vector: NDArray[Any]) -> float:
    """Return the mean growth of a vector over the later half of ten products with `matrix`."""
    logs: list[float] = []
    for _ in range(10):
        vector = matrix @ vector
        length = float(np.linalg.norm(vector))
        vector = vector / length
        logs.append(np.log(length))
    return float(np.exp(np.mean(logs[5:])))


def _relative_residual(A: NDArray[np.float64], C: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    half = A @ C
    residual = half + half.T
    residual[np.diag_indices_from(residual)] += q
    return float(np.linalg.norm(residual) / np.linalg.norm(q))
