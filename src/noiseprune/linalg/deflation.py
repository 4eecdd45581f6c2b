"""Slow modes that one solve has met, solved for directly in the next."""

from __future__ import annotations

from operator import itemgetter

import numpy as np
import scipy.linalg

from noiseprune.linalg import kernels
from noiseprune.linalg.blocks import Block, Floats, Laplacian, column_dots, combination, gram
from noiseprune.linalg.krylov import Progress

SLOW = 0.5  # eigenvalues of D^-1 (-A) below it are slow: in a random network the bulk lies around 1
MAX_CANDIDATES = 64  # Ritz vectors that are looked at closer
UNCONVERGED = 0.9  # last entry of a Ritz vector's coefficients from which it is no candidate
DUPLICATE = 0.01  # directions of which less than this was found, in squared length, are noise
RITZ_RESIDUAL = 0.1  # a Ritz vector further from an eigenvector than this is not taken for one


class Deflation:
    """Slow modes that are known, so that no solve need find them again.

    Conjugate gradients spend most of their iterations on the few slow modes of a clustered network. Their Lanczos
    vectors hold these modes; a later solve starts from the exact solution within them.

    Parameters
    ----------
    operator : Laplacian
        The operator.
    candidates : (n, k) array
        Vectors in whose span the slow modes are looked for.

    References
    ----------
    A. Stathopoulos and K. Orginos, "Computing and deflating eigenvalues while solving multiple right-hand side linear
    systems", SIAM J. Sci. Comput. 32 (2010) 439-462.
    """

    def __init__(self, operator: Laplacian, candidates: Block) -> None:
        rows, dtype = operator.rows, operator.dtype
        diagonal = operator.diagonal.astype(dtype)[:, None]
        # Orthonormal in D first: what several columns have found is one direction, and noise is left behind.
        size, mix = np.linalg.eigh(gram(rows, candidates, diagonal * candidates))
        new = size > DUPLICATE
        U = combination(rows, candidates, mix[:, new] / np.sqrt(size[new]))
        AU = np.empty_like(U)
        operator.product(U, AU)
        values, turn = np.linalg.eigh(gram(rows, U, AU))
        U, AU = combination(rows, U, turn), combination(rows, AU, turn)
        off = AU / diagonal - values.astype(dtype) * U
        good = (values > 0) & (values < SLOW) & (column_dots(rows, off, diagonal * off) < RITZ_RESIDUAL**2)
        self.values: Floats = values[good]
        self.vectors: Block = np.ascontiguousarray(U[:, good])
        self._rows, self._images = rows, np.ascontiguousarray(AU[:, good])

    def solve(self, b: Block, x: Block) -> None:
        """Add the solution within the slow modes to x, and take its image off b."""
        if self.values.size:
            factors = (gram(self._rows, self.vectors, b) / self.values[:, None]).astype(b.dtype)
            kernels.add_combination(self._rows, self.vectors, factors, x)
            kernels.add_combination(self._rows, self._images, -factors, b)


def slow_ritz_vectors(operator: Laplacian, progress: Progress) -> Block:
    """Approximate eigenvectors of D^-1 (-A) with small eigenvalues, (n, few), from Lanczos vectors of every column."""
    candidates = []
    for column in range(progress.basis[0].shape[1]):
        diagonal, off = progress.lanczos(column)
        values, vectors = scipy.linalg.eigh_tridiagonal(diagonal, off)
        # conjugate gradients make Lanczos vectors of alternating sign
        vectors *= (-1.0) ** np.arange(diagonal.size)[:, None]
        # the last entry tells how far a vector has converged
        candidates += [(abs(y[-1]), column, y) for y in vectors.T[values < SLOW] if abs(y[-1]) < UNCONVERGED]
    candidates = sorted(candidates, key=itemgetter(0))[:MAX_CANDIDATES]
    columns = np.array([column for _, column, _ in candidates], dtype=np.int64)
    found = np.zeros((operator.n, len(candidates)), operator.dtype)
    for step, basis in enumerate(progress.basis):
        factors = [y[step] if step < y.size else 0 for _, _, y in candidates]
        kernels.add_selected(operator.rows, basis, columns, np.array(factors, operator.dtype), found)
    return found
