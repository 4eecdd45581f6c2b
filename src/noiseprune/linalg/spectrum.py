"""The eigenvalues that decide whether a network is stable, densely or by ARPACK."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
import scipy.sparse as sp

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
    if n <= dense_limit:
        dense = matrix.toarray().astype(np.float64)
        if symmetric:
            return float(scipy.linalg.eigvalsh(dense, subset_by_index=(n - 1, n - 1))[0])
        return float(np.max(scipy.linalg.eigvals(dense, overwrite_a=True).real))
    return float(rightmost(matrix, 1, symmetric=symmetric)[0].real)


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
    except sla.ArpackNoConvergence as error:
        found = error.eigenvalues
        if len(found) < count:
            raise DidNotConverge(
                f"ARPACK found {len(found)} of the {count} rightmost eigenvalues of a network of {n} neurons; "
                "raise the dense limit if memory allows"
            ) from None
    return found[np.argsort(-found.real)][:count]
