"""The eigenvalues that decide whether a network is stable, densely or by ARPACK."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from noiseprune.errors import DidNotConverge

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
    # ARPACK's default start is drawn from a global generator; a fixed one makes the answer repeatable
    start = np.random.default_rng(n).standard_normal(n)
    # a few more than asked for, since rightmost eigenvalues come in crowds and pairs
    extra = min(max(count, 6), n - 2)
    matrix = matrix.astype(np.float64)
    try:
        if symmetric:
            found = sla.eigsh(matrix, k=extra, which="LA", v0=start, return_eigenvectors=False, maxiter=100 * extra)
        else:
            found = sla.eigs(matrix, k=extra, which="LR", v0=start, return_eigenvectors=False, maxiter=100 * extra)
    except sla.ArpackNoConvergence as error:  # those that it found need not be the rightmost ones
        raise DidNotConverge(
            f"ARPACK found {len(error.eigenvalues)} of the {extra} rightmost eigenvalues of a network of {n} neurons"
        ) from None
    return found[np.argsort(-found.real)][:count]
