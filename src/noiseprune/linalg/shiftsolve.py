"""Shifted systems (pI - A) x = b of a directed network, for blocks of right-hand sides, by GMRES."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from noiseprune.errors import DidNotConverge
from noiseprune.linalg import kernels
from noiseprune.linalg.blocks import Block, column_dots, parts

Floats = NDArray[np.float64]

RESTART = 30  # vectors of a Krylov space, a block each, before it starts anew
MAX_RESTARTS = 40


class Operator:
    """A = W - diag(leak) of any network, applied to blocks.

    Parameters
    ----------
    weights : (n, n) csr_array
        W.
    leak : (n,) array
        D.
    """

    def __init__(self, weights: sp.csr_array, leak: Floats) -> None:
        self.n, self.dtype = weights.shape[0], weights.dtype
        self.rows = kernels.chunks(weights.indptr)
        self.leak = leak.astype(weights.dtype)
        self._parts = parts(weights)

    def product(self, x: Block, *, shift: float = 0.0) -> Block:
        """(pI - A) x for a shift p."""
        y = np.empty_like(x)
        kernels.matrix_product(self._parts, self.leak + self.dtype.type(shift), -1.0, self.rows, x, y)
        return y

    def solve(self, b: Block, shift: float, tolerance: float) -> tuple[Block, int]:
        """Solve (pI - A) x = b for every column, by GMRES with a diagonal preconditioner from the right.

        Parameters
        ----------
        b : (n, k) array
            Right-hand sides.
        shift : float, 1/s
            p, positive.
        tolerance : float
            Residual of each column in units of its right-hand side.

        Returns
        -------
        x : (n, k) array
            The solution.
        iterations : int
            Products with A.

        Raises
        ------
        DidNotConverge
            With how far it came.

        References
        ----------
        Y. Saad and M. H. Schultz, "GMRES: a generalized minimal residual algorithm for solving nonsymmetric linear
        systems", SIAM J. Sci. Stat. Comput. 7 (1986) 856-869.
        """
        x = np.zeros_like(b)
        inverse = (1 / (self.leak + self.dtype.type(shift)))[:, None]
        wanted = tolerance * np.sqrt(column_dots(self.rows, b, b))
        iterations, r = 0, b.copy()
        for _ in range(MAX_RESTARTS):
            length = np.sqrt(column_dots(self.rows, r, r))
            if np.all(length <= wanted):
                return x, iterations
            basis, coefficients = self._krylov(r, length, inverse, shift, wanted)
            iterations += len(basis)
            for vector, factor in zip(basis, coefficients, strict=True):
                kernels.add_columns(self.rows, factor.astype(b.dtype), vector, x_part := np.zeros_like(b))
                x += inverse * x_part
            r = b - self.product(x, shift=shift)
        worst = float(np.max(length / np.maximum(wanted / tolerance, np.finfo(np.float64).tiny)))
        raise DidNotConverge(
            f"GMRES came to {worst:.1e} of the right-hand side in {iterations} products at the shift {shift:.3g} 1/s, and "
            f"{tolerance:.1e} was wanted: raise the leak, or take probes.Simulated or the exact probe"
        )

    def _krylov(
        self, r: Block, length: Floats, inverse: Block, shift: float, wanted: Floats
    ) -> tuple[list[Block], Floats]:
        """Build an orthonormal basis until the residual is small; return it and the best coefficients (steps, k)."""
        k = r.shape[1]
        basis: list[Block] = [r / np.where(length > 0, length, 1).astype(r.dtype)]
        H = np.zeros((k, RESTART + 1, RESTART))
        aim = np.zeros((k, RESTART + 1, 1))
        aim[:, 0, 0] = length
        for j in range(RESTART):
            v = self.product(inverse * basis[j], shift=shift)
            for i, vector in enumerate(basis):
                H[:, i, j] = column_dots(self.rows, vector, v)
                kernels.add_columns(self.rows, (-H[:, i, j]).astype(r.dtype), vector, v)
            H[:, j + 1, j] = np.sqrt(column_dots(self.rows, v, v))
            small = H[:, : j + 2, : j + 1]
            solution = np.linalg.pinv(small, rcond=1e-12) @ aim[:, : j + 2]
            left = np.linalg.norm(small @ solution - aim[:, : j + 2], axis=(1, 2))
            if np.all(left <= wanted) or j + 1 == RESTART:
                return basis, solution[:, :, 0].T
            grown = np.where(H[:, j + 1, j] > 1e-12 * length, H[:, j + 1, j], np.inf)
            basis.append(v / grown.astype(r.dtype))
        raise AssertionError("the loop returns")
