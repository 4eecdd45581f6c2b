"""The eigenvalues that decide whether a network is stable, densely or by ARPACK."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from noiseprune.errors import DidNotConverge
from noiseprune.machine import limits

LOOSE = 1e-3  # relative error of eigenvalues that do not converge further
PATIENCE = 100  # restarts of Lanczos with solves
BLOCK = 32  # vectors of LOBPCG: more than wanted, since slow modes come in crowds, one for each cluster
LOBPCG_ITERATIONS = 5  # between looks at the residuals
LOBPCG_ROUNDS = 8
# For zero SciPy puts an absolute one that grows with n, and vectors within it rest: slow modes of large networks never end.
NO_TOLERANCE = 1e-300
LOBPCG_RESIDUAL = 0.03  # relative; the error of an eigenvalue is of the order of its square


def spectral_abscissa(matrix: sp.csr_array, *, symmetric: bool, dense_limit: int = limits.ABSCISSA) -> float:
    """Return the largest real part of an eigenvalue of `matrix`.

    Parameters
    ----------
    matrix : (n, n) csr_array
        W or A.
    symmetric : bool
        Whether the matrix is symmetric.
    dense_limit : int
        Up to this n the whole spectrum is computed, O(n^3); beyond it a few eigenvalues by ARPACK.

    Raises
    ------
    DidNotConverge
        Where ARPACK does not find the rightmost eigenvalue.

    References
    ----------
    R. B. Lehoucq, D. C. Sorensen and C. Yang, "ARPACK Users' Guide", SIAM 1998.
    """
    n = matrix.shape[0]
    if symmetric:
        if n > dense_limit:
            return float(rightmost(matrix, 1, symmetric=True)[0])
        dense = matrix.toarray().astype(np.float64)
        return float(scipy.linalg.eigvalsh(dense, subset_by_index=(n - 1, n - 1))[0])
    # The eigenvalues are those of the strongly connected components. Apart they are well conditioned; together, in a
    # feed-forward network, they may be as badly conditioned as eigenvalues can be.
    n_components, component = connected_components(matrix, connection="strong")
    size = np.bincount(component)
    alone = size[component] == 1
    found = [float(np.max(matrix.diagonal()[alone]))] if alone.any() else []
    for k in np.flatnonzero(size > 1):
        inside = np.flatnonzero(component == k)
        block = matrix if n_components == 1 else matrix[inside][:, inside]
        if inside.size <= dense_limit:
            found.append(float(np.max(scipy.linalg.eigvals(block.toarray().astype(np.float64), overwrite_a=True).real)))
        else:
            found.append(float(rightmost(block, 1, symmetric=False)[0].real))
    return max(found)


def rightmost(matrix: sp.csr_array, count: int, *, symmetric: bool) -> Any:
    """Return the `count` eigenvalues of largest real part, rightmost first, by ARPACK from a fixed start.

    Parameters
    ----------
    matrix : (n, n) csr_array
        W or A, n above 2.
    count : int
        Eigenvalues wanted.
    symmetric : bool
        Whether the matrix is symmetric.

    Returns
    -------
    (at most count,) array
        Real where symmetric, else complex, 1/s.

    Raises
    ------
    DidNotConverge
        Where ARPACK does not find them.

    References
    ----------
    R. B. Lehoucq, D. C. Sorensen and C. Yang, "ARPACK Users' Guide", SIAM 1998.
    """
    import scipy.sparse.linalg as sla

    n = matrix.shape[0]
    start = _start(n)
    matrix = matrix.astype(np.float64)
    # A few more than asked for, since rightmost eigenvalues come in crowds and pairs; where the crowd behind the first
    # ones does not separate, no more than was asked for; and at last with three digits, where these decide the sign.
    few, crowd, n_found = min(count, n - 2), min(max(count, 6), n - 2), 0
    for wanted, tolerance in dict.fromkeys(((crowd, 0.0), (few, 0.0), (few, LOOSE))):
        search = {"k": wanted, "v0": start, "return_eigenvectors": False, "maxiter": 100 * wanted, "tol": tolerance}
        try:
            found = sla.eigsh(matrix, which="LA", **search) if symmetric else sla.eigs(matrix, which="LR", **search)
        except sla.ArpackNoConvergence as error:  # those that it found need not be the rightmost ones
            n_found = len(error.eigenvalues)
            continue
        if np.all(np.abs(found.real) > 10 * tolerance * np.abs(found)):
            return found[np.argsort(-found.real)][:count]
    raise DidNotConverge(f"ARPACK found {n_found} of the {wanted} rightmost eigenvalues of a network of {n} neurons")


Apply = Callable[[Any], Any]  # an operator, applied to vectors (n,) and blocks (n, k)


def slowest(
    product: Apply, precondition: Apply, n: int, count: int, *, shift: float, shifted_solve: Callable[[], Apply]
) -> Any:
    """Return the `count` smallest eigenvalues of a positive definite operator, smallest first.

    Parameters
    ----------
    product, precondition : callable
        Apply the operator, and something cheap that is near to its inverse.
    n, count : int
        Size of the operator; eigenvalues wanted.
    shift : float
        Just below the smallest eigenvalue: from there, modes that crowd stand apart.
    shifted_solve : callable
        Makes a function that applies the inverse of the operator less the shift, where that is needed.

    Raises
    ------
    DidNotConverge
        Where neither LOBPCG nor Lanczos on the inverse finds them.

    References
    ----------
    A. V. Knyazev, "Toward the optimal preconditioned eigensolver: locally optimal block preconditioned conjugate
    gradient method", SIAM J. Sci. Comput. 23 (2001) 517-541; C. Lanczos, "An iteration method for the solution of the
    eigenvalue problem of linear differential and integral operators", J. Res. Natl. Bur. Stand. 45 (1950) 255-282.
    """
    import scipy.sparse.linalg as sla

    found = _lobpcg(product, None, precondition, n, count, largest=False)
    if found is not None:
        return found
    inverse = sla.LinearOperator((n, n), matvec=shifted_solve(), dtype=np.float64)
    search = {"k": min(count, n - 2), "v0": _start(n), "maxiter": PATIENCE, "return_eigenvectors": False}
    try:
        found = sla.eigsh(inverse, which="LA", **search)
    except sla.ArpackNoConvergence:
        raise DidNotConverge(f"Lanczos did not find the {count} slowest modes of a network of {n} neurons") from None
    return np.sort(shift + 1 / found)


def extreme_generalised(product: Apply, other: Apply, solve: Apply, precondition: Apply, n: int) -> tuple[float, float]:
    """Return the smallest and the largest g with other(x) = g product(x).

    Parameters
    ----------
    product, solve, precondition : callable
        As in `slowest`.
    other : callable
        Applies the other operator.
    n : int
        Size of the operators.

    Returns
    -------
    smallest, largest : float
        g, without unit.

    Raises
    ------
    DidNotConverge
        Where neither LOBPCG nor Lanczos finds them.

    References
    ----------
    As of `slowest`.
    """
    import scipy.sparse.linalg as sla

    ends = [_lobpcg(other, product, precondition, n, 1, largest=largest) for largest in (False, True)]
    if all(end is not None for end in ends):
        return float(ends[0][0]), float(ends[1][0])
    A, B, inverse = (sla.LinearOperator((n, n), matvec=apply, dtype=np.float64) for apply in (other, product, solve))
    search = {"M": B, "Minv": inverse, "v0": _start(n), "tol": 1e-3, "return_eigenvectors": False}
    try:
        low, high = np.sort(sla.eigsh(A, k=2, which="BE", **search))
    except sla.ArpackNoConvergence:
        raise DidNotConverge("Lanczos did not find the extreme generalised eigenvalues") from None
    return float(low), float(high)


def _lobpcg(A: Apply, B: Apply | None, M: Apply, n: int, count: int, *, largest: bool) -> Any:
    """Eigenvalues at one end of A x = g B x, the extreme one first; None where their residuals stay large."""
    import scipy.sparse.linalg as sla

    width = min(BLOCK, n // 6)
    if width < count:
        return None
    X: Any = np.random.default_rng(n).standard_normal((n, width))
    for _ in range(LOBPCG_ROUNDS):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter(
                "ignore"
            )  # it warns of residuals of the whole block; those wanted are looked at below
            try:
                values, X = sla.lobpcg(A, X, B=B, M=M, largest=largest, maxiter=LOBPCG_ITERATIONS, tol=NO_TOLERANCE)[:2]
            except (ValueError, np.linalg.LinAlgError):
                return None
        wanted = np.argsort(-values if largest else values)[:count]
        ends, vectors = values[wanted], X[:, wanted]
        image = vectors if B is None else B(vectors)
        # a rate is wanted to some digits; of g, for which 1 is perfect, ends near zero are wanted no finer than that
        size = np.abs(ends) if B is None else np.maximum(np.abs(ends), 1.0)
        residual = np.linalg.norm(A(vectors) - ends * image, axis=0)
        if np.all(residual < LOBPCG_RESIDUAL * size * np.linalg.norm(image, axis=0)):
            return ends
    return None


def _start(n: int) -> Any:
    """ARPACK's default start is drawn from a global generator; a fixed one makes the answer repeatable."""
    return np.random.default_rng(n).standard_normal(n)
