"""Linear systems A x = b: dense and direct when small, iterative when large."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from noiseprune.errors import DidNotConverge

Floats = NDArray[np.float64]

TOLERANCE = 1e-8  # relative residual of an iterative solution


def solver(matrix: sp.csr_array, *, symmetric: bool, dense_limit: int) -> Callable[[Floats], Floats]:
    """Return a function that solves ``matrix @ x = b`` for b of shape (n,) or (n, k).

    Parameters
    ----------
    matrix : (n, n) csr_array
        Symmetric and definite, or general.
    symmetric : bool
        Takes conjugate gradients instead of GMRES when large.
    dense_limit : int
        Up to this n an LU decomposition is made.

    Raises
    ------
    DidNotConverge
        By the function returned, where the iteration ends short of its tolerance.
    scipy.linalg.LinAlgError
        Where a small matrix is singular.
    """
    n = matrix.shape[0]
    if n <= dense_limit:
        dense = matrix.toarray().astype(np.float64)
        return lambda b: np.asarray(np.linalg.solve(dense, b))

    import scipy.sparse.linalg as sla

    matrix = matrix.astype(np.float64)
    diagonal = matrix.diagonal()
    jacobi = sla.LinearOperator((n, n), matvec=lambda x: x / diagonal)
    method = sla.cg if symmetric else sla.gmres

    def one(b: Floats) -> Floats:
        x, info = method(matrix, b, rtol=TOLERANCE, maxiter=1000, M=jacobi)
        if info != 0:
            raise DidNotConverge(
                f"{method.__name__} did not reach a relative residual of {TOLERANCE:.0e} in 1000 rounds"
            )
        return np.asarray(x)

    return lambda b: one(b) if b.ndim == 1 else np.stack([one(column) for column in b.T], axis=1)
