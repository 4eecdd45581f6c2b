"""Operators that are cheap to apply and near to the inverse of -A."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from noiseprune.linalg import kernels
from noiseprune.linalg.blocks import Block, Floats, Laplacian, column_dots, products


class Preconditioner(Protocol):
    """A symmetric, positive definite operator M that is cheap to apply and near to an inverse.

    ``unseen`` says how much smaller than the smallest eigenvalue of M (-A) that a Krylov space has seen another one may
    be: with a diagonal, one mode of a whole network may hide; with aggregation the spectrum is compact.
    """

    name: str
    unseen: float

    def apply(self, r: Block, z: Block) -> Floats:
        """Write the image of r into z; return r . z of each column."""
        ...


class Diagonal:
    """Division by the diagonal."""

    name = "diagonal"
    unseen = 0.1

    def __init__(self, operator: Laplacian) -> None:
        self._rows = operator.rows
        self._scale = (1 / operator.diagonal).astype(operator.dtype)

    def apply(self, r: Block, z: Block) -> Floats:
        """Write r over the diagonal into z; return r . z of each column."""
        dots = np.empty((kernels.CHUNKS, r.shape[1]))
        kernels.scale_rows(self._rows, self._scale, r, z, dots)
        return np.asarray(dots.sum(axis=0))


_generator_in_use = threading.Lock()


@contextlib.contextmanager
def _global_generator(seed: int) -> Iterator[None]:
    """Seed NumPy's global generator for pyamg, which estimates spectral radii from it, and leave it as it was."""
    with _generator_in_use:
        state = np.random.get_state()  # noqa: NPY002
        np.random.seed(seed % 2**32)  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(state)  # noqa: NPY002


class Aggregation:
    """One V-cycle of pyamg's smoothed aggregation, run on a whole block, with a damped Jacobi step on either side.

    pyamg finds the levels; it applies them to one vector at a time, so the cycle is ours.

    Parameters
    ----------
    operator : Laplacian
        Of positive synapses, or of any signs with `sides`.
    sides : (n,) array
        1 and -1: x_i sides_i is near to constant in slow modes.

    References
    ----------
    P. Vaněk, J. Mandel and M. Brezina, "Algebraic multigrid by smoothed aggregation for second and fourth order
    elliptic problems", Computing 56 (1996) 179-196.
    """

    name = "smoothed aggregation"
    unseen = 0.3

    def __init__(self, operator: Laplacian, sides: NDArray[Any]) -> None:
        import pyamg

        matrix = operator.matrix()
        self._operator = operator
        with _global_generator(operator.n), np.errstate(all="ignore"):
            hierarchy = pyamg.smoothed_aggregation_solver(
                sp.csr_matrix(matrix), B=sides.astype(np.float64)[:, None], symmetry="symmetric", max_coarse=500
            )
        dtype = operator.dtype
        self._levels = [_Level(level, dtype) for level in hierarchy.levels[:-1]]
        # a mode that is almost singular is not blown up beyond what the precision can tell from the others
        values, vectors = np.linalg.eigh(hierarchy.levels[-1].A.toarray())
        values = np.maximum(values, 10 * np.finfo(dtype).eps * values[-1])
        self._coarsest = ((vectors / values) @ vectors.T).astype(dtype)

    def apply(self, r: Block, z: Block) -> Floats:
        """Write one V-cycle on r into z; return r . z of each column."""
        z[:] = self._cycle(0, r)
        return column_dots(self._operator.rows, r, z)

    def _cycle(self, depth: int, r: Block) -> Block:
        if depth == len(self._levels):
            return self._coarsest @ r
        level = self._levels[depth]
        x = level.smoother * r
        x += level.up(self._cycle(depth + 1, level.down(r - level.product(x))))
        x += level.smoother * (r - level.product(x))
        return x


class _Level:
    """A level of the hierarchy: its operator, its smoother, and the ways down and up."""

    def __init__(self, level: Any, dtype: Any) -> None:
        A = sp.csr_array(level.A).astype(dtype)
        self.product = products(A)
        self.up, self.down = (
            products(sp.csr_array(level.P).astype(dtype)),
            products(sp.csr_array(level.R).astype(dtype)),
        )
        diagonal = A.diagonal()
        # |D^-1 A| bounds its spectral radius; 4/3 over it is what smoothed aggregation damps Jacobi with
        radius = _spectral_radius(A, diagonal)
        self.smoother = (4 / 3 / radius / diagonal).astype(dtype)[:, None]


def _spectral_radius(A: sp.csr_array, diagonal: Block) -> float:
    x = np.random.default_rng(A.shape[0]).standard_normal(A.shape[0])
    for _ in range(15):
        x /= np.linalg.norm(x)
        x = (A @ x) / diagonal
    return 1.05 * float(np.linalg.norm(x))
