"""Operators on blocks of vectors, (n, k) arrays: what a product reads of a synapse, it uses for all k vectors."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from noiseprune.linalg import kernels

Floats = NDArray[np.float64]
Block = NDArray[np.floating[Any]]


def parts(matrix: sp.csr_array) -> tuple[Any, Any, Any]:
    """Row pointers (int64), indices and weights, read-only, so that the kernels are compiled for few types."""
    parts = (matrix.indptr.astype(np.int64), matrix.indices.view(), matrix.data.view())
    for part in parts:
        part.flags.writeable = False
    return parts


class Laplacian:
    """-A of a symmetric network in difference form: y_i = excess_i x_i + sum_j |w_ij| (x_i - s_ij x_j).

    Never with a rounded diagonal: what is left of a large leak after a large input is given as it is.

    Parameters
    ----------
    links : (n, n) csr_array
        Each pair once, below the diagonal.
    excess : (n,) array
        D_i - sum_j |w_ij|.
    """

    def __init__(self, links: sp.csr_array, excess: Floats) -> None:
        transposed = links.T.tocsr()
        self.lower, self.upper = parts(links), parts(transposed)
        self.excess = excess.astype(links.dtype)
        self.rows = kernels.chunks(links.indptr, transposed.indptr)
        self.n = links.shape[0]
        self.dtype = links.dtype
        self._links = links

    @cached_property
    def diagonal(self) -> Floats:
        """The diagonal of -A, (n,)."""
        size = sp.csr_array((np.abs(self._links.data), self._links.indices, self._links.indptr), self._links.shape)
        ones = np.ones(self.n)
        return np.asarray(self.excess + size @ ones + size.T @ ones)

    def product(self, x: Block, y: Block) -> Floats:
        """Write -A x into y; return x . y of each column, (k,)."""
        dots = np.empty((kernels.CHUNKS, x.shape[1]))
        kernels.laplacian_product(self.lower, self.upper, self.excess, self.rows, x, y, dots)
        return np.asarray(dots.sum(axis=0))

    def sources(self, key: int, shift: int, k: int) -> Block:
        """Make right-hand sides B g with random signs g, where -A = B B^T.

        Parameters
        ----------
        key : int
            Of the random signs, 64 bits.
        shift : int
            The first of the 64 bits of each hash that is used.
        k : int
            Right-hand sides, at most 32.

        Returns
        -------
        (n, k) array
            B g in each column.

        Notes
        -----
        The excess must not be negative.

        References
        ----------
        D. A. Spielman and N. Srivastava, "Graph sparsification by effective resistances", SIAM J. Comput. 40 (2011),
        section 4.
        """
        b = np.empty((self.n, k), self.dtype)
        kernels.random_sources(self.lower, self.upper, self.excess, self.rows, np.uint64(key), shift, b)
        return b

    def add_difference_squares(self, x: Block, total: Floats) -> None:
        """Add sum_v (x_iv - s x_jv)^2 to the total of each link."""
        kernels.add_difference_squares(self.lower, self.rows, x, total)

    def matrix(self) -> sp.csr_array:
        """-A as a SciPy matrix, in float64."""
        links = self._links.astype(np.float64)
        return (sp.diags_array(self.diagonal) - links - links.T).tocsr()


def products(matrix: sp.csr_array) -> Callable[[Block], Block]:
    """Return a function that multiplies a block by any CSR matrix, compiled."""
    rows = kernels.chunks(matrix.indptr)
    csr, none = parts(matrix), np.zeros(0, matrix.dtype)

    def product(x: Block) -> Block:
        y = np.empty((matrix.shape[0], x.shape[1]), x.dtype)
        kernels.matrix_product(csr, none, 1.0, rows, x, y)
        return y

    return product


def column_dots(rows: NDArray[Any], x: Block, y: Block) -> Floats:
    """Return x . y of each column, (k,).

    Parameters
    ----------
    rows : (CHUNKS + 1,) array
        From `kernels.chunks`.
    x, y : (n, k) array
        Blocks of vectors.
    """
    dots = np.empty((kernels.CHUNKS, x.shape[1]))
    kernels.column_dots(rows, x, y, dots)
    return np.asarray(dots.sum(axis=0))


def gram(rows: NDArray[Any], x: Block, y: Block) -> Floats:
    """Return x^T y, (k, l): every column of x with every column of y.

    Parameters
    ----------
    rows : (CHUNKS + 1,) array
        From `kernels.chunks`.
    x, y : (n, k) array, (n, l) array
        Blocks of vectors.
    """
    dots = np.empty((kernels.CHUNKS, x.shape[1], y.shape[1]))
    kernels.gram(rows, x, y, dots)
    return np.asarray(dots.sum(axis=0))


def combination(rows: NDArray[Any], x: Block, factors: Floats) -> Block:
    """Combine the columns of x, once for each column of factors.

    Parameters
    ----------
    rows : (CHUNKS + 1,) array
        From `kernels.chunks`.
    x : (n, k) array
        A block of vectors.
    factors : (k, l) array
        One column for each combination.

    Returns
    -------
    (n, l) array
        The product of x and factors, in the precision of x.
    """
    y = np.zeros((x.shape[0], factors.shape[1]), x.dtype)
    kernels.add_combination(rows, x, factors.astype(x.dtype), y)
    return y
