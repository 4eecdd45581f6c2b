"""The eigenvalues that decide whether a network is stable, densely or by ARPACK."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from noiseprune.errors import DidNotConverge

PATIENCE = 10  # restarts of plain Lanczos before the slowest modes are looked for with solves

DENSE_LIMIT = 1000  # below it LAPACK on the whole matrix is faster and surer than ARPACK


def spectral_abscissa(matrix: sp.csr_array, *, symmetric: bool, dense_limit: int = DENSE_LIMIT) -> float:
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
    """Return the `count` eigenvalues of largest real part, rightmost first, by ARPACK from a fixed start."""
    import scipy.sparse.linalg as sla

    n = matrix.shape[0]
    start = _start(n)
    matrix = matrix.astype(np.float64)
    # a few more than asked for, since rightmost eigenvalues come in crowds and pairs; where the crowd behind the first
    # ones does not separate, no more than was asked for
    few, crowd = min(count, n - 2), min(max(count, 6), n - 2)
    for wanted in dict.fromkeys((crowd, few)):
        search = {"k": wanted, "v0": start, "return_eigenvectors": False, "maxiter": 100 * wanted}
        try:
            found = sla.eigsh(matrix, which="LA", **search) if symmetric else sla.eigs(matrix, which="LR", **search)
        except sla.ArpackNoConvergence as error:  # those that it found need not be the rightmost ones
            n_found = len(error.eigenvalues)
            continue
        return found[np.argsort(-found.real)][:count]
    raise DidNotConverge(f"ARPACK found {n_found} of the {wanted} rightmost eigenvalues of a network of {n} neurons")


def slowest(product: Callable[[Any], Any], solve: Callable[[Any], Any], n: int, count: int) -> Any:
    """Return the `count` smallest eigenvalues of a positive definite operator, smallest first.

    Plain Lanczos finds them where they stand apart, as in clusters; where they crowd, as on rings and sheets, Lanczos
    on the inverse does.

    Parameters
    ----------
    product, solve : callable
        Apply the operator, and its inverse, to a vector (n,).
    n, count : int
        Size of the operator; eigenvalues wanted.

    Raises
    ------
    DidNotConverge
        Where neither finds them.
    """
    import scipy.sparse.linalg as sla

    found: Any
    search = {"k": min(count, n - 2), "v0": _start(n), "return_eigenvectors": False}
    for apply, which, patience in ((product, "SA", PATIENCE), (solve, "LA", 10 * PATIENCE)):
        operator = sla.LinearOperator((n, n), matvec=apply, dtype=np.float64)
        try:
            found = sla.eigsh(operator, which=which, maxiter=patience, **search)
        except sla.ArpackNoConvergence:
            continue
        return np.sort(found if apply is product else 1 / found)
    raise DidNotConverge(f"Lanczos did not find the {count} slowest modes of a network of {n} neurons")


def extreme_generalised(
    product: Callable[[Any], Any], other: Callable[[Any], Any], solve: Callable[[Any], Any], n: int
) -> tuple[float, float]:
    """Return the smallest and the largest g with other(x) = g product(x), by Lanczos; `solve` inverts `product`.

    Raises
    ------
    DidNotConverge
        Where Lanczos does not find them.
    """
    import scipy.sparse.linalg as sla

    A, B, inverse = (sla.LinearOperator((n, n), matvec=apply, dtype=np.float64) for apply in (other, product, solve))
    try:
        low, high = np.sort(
            sla.eigsh(A, k=2, M=B, Minv=inverse, which="BE", v0=_start(n), tol=1e-3, return_eigenvectors=False)
        )
    except sla.ArpackNoConvergence:
        raise DidNotConverge("Lanczos did not find the extreme generalised eigenvalues") from None
    return float(low), float(high)


def _start(n: int) -> Any:
    """ARPACK's default start is drawn from a global generator; a fixed one makes the answer repeatable."""
    return np.random.default_rng(n).standard_normal(n)
