"""Conjugate gradients on a block of right-hand sides, and when to stop them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import scipy.linalg

from noiseprune.errors import DidNotConverge
from noiseprune.linalg import kernels
from noiseprune.linalg.blocks import Block, Floats, Laplacian
from noiseprune.linalg.preconditioners import Preconditioner

if TYPE_CHECKING:
    from noiseprune.linalg.deflation import Deflation

RITZ_COLUMNS = 16  # vectors of a block whose Lanczos vectors are kept: slow modes that nearly tie need several
WATCHED_COLUMNS = 4  # vectors of a block whose smallest Ritz value is looked at after each iteration
MAX_BASIS = 32  # iterations of which Lanczos vectors are kept; where more are needed, slow modes are no small number


class Progress:
    """What conjugate gradients know of themselves after each iteration.

    Attributes
    ----------
    first, residual : (k,) array
        r . M^-1 r of each column, M the preconditioner, at the start and now.
    steps, ratios : list of (k,) arrays
        The alpha and beta of each iteration.
    basis : list of (n, RITZ_COLUMNS) arrays
        Where they are kept: the first columns of M^-1 r before each iteration, of length one: Lanczos vectors.
    """

    def __init__(self, residual: Floats) -> None:
        self.first = self.residual = residual
        self.steps: list[Floats] = []
        self.ratios: list[Floats] = []
        self.basis: list[Block] = []

    @property
    def iterations(self) -> int:
        """Iterations done."""
        return len(self.steps)

    def lanczos(self, column: int) -> tuple[Floats, Floats]:
        """Diagonal and off-diagonal of the matrix whose eigenvalues are the Ritz values of M^-1 (-A)."""
        a = np.array([step[column] for step in self.steps])
        done = int(np.argmin(a > 0)) if np.any(a <= 0) else a.size  # zero: the column had nothing left to do
        a, b = a[:done], np.array([ratio[column] for ratio in self.ratios[: max(done - 1, 0)]])
        diagonal = 1 / a
        diagonal[1:] += b / a[:-1]
        return diagonal, np.sqrt(b) / a[:-1]

    def smallest_ritz(self) -> float:
        """Return the smallest eigenvalue of M^-1 (-A) that the iteration has seen."""
        found = np.inf
        for column in range(min(WATCHED_COLUMNS, self.residual.size)):
            diagonal, off = self.lanczos(column)
            if diagonal.size:
                values = scipy.linalg.eigvalsh_tridiagonal(
                    diagonal, off, select="i", select_range=(0, 0), check_finite=False
                )
                found = min(found, float(values[0]))
        return found


Stop = Callable[[Progress, float], bool]  # given the progress and the preconditioner's `unseen`: whether to stop


def missing_energy(tolerance: float) -> Stop:
    """Stop when a vector lacks no more than this energy e . (-A) e, on average over the columns.

    Of z = (-A)^-1 B g every eigenmode has one unit of energy, the slow ones that carry a few long-range pairs like any other. So
    this asks that no mode is missing, where a residual would be content with the many fast ones.
    """

    def done(progress: Progress, unseen: float) -> bool:
        left = float(np.mean(progress.residual))
        # the energy is at most r . M r over the smallest eigenvalue of M (-A), which is one or less
        return left <= tolerance and left <= tolerance * unseen * progress.smallest_ritz()

    return done


def relative_residual(tolerance: float) -> Stop:
    """Stop when each column's residual, in the norm of the preconditioner, is so much smaller than at the start."""
    return lambda progress, _: bool(np.all(progress.residual <= tolerance**2 * progress.first))


def conjugate_gradients(
    operator: Laplacian,
    b: Block,
    preconditioner: Preconditioner,
    done: Stop,
    *,
    max_iterations: int,
    deflation: Deflation | None = None,
    keep_basis: bool = False,
) -> tuple[Block, Progress, bool]:
    """Solve -A x = b for every column of b at once.

    Parameters
    ----------
    operator : Laplacian
        Positive definite, or b in its range.
    b : (n, k) array
        Overwritten by the residual.
    preconditioner : Preconditioner
        Near to an inverse.
    done : callable
        Looks at the progress after each iteration and says whether to stop.
    max_iterations : int
        Ends the iteration where `done` does not.
    deflation : Deflation, optional
        Solves for the slow modes first.
    keep_basis : bool
        Keep the Lanczos vectors of a few columns, from which `Deflation` is made.

    Returns
    -------
    x : (n, k) array
        The solution.
    progress : Progress
        How it was found.
    converged : bool
        Whether `done` ended it.

    Raises
    ------
    DidNotConverge
        Where a direction of negative curvature shows that the operator is not positive definite.

    References
    ----------
    M. R. Hestenes and E. Stiefel, "Methods of conjugate gradients for solving linear systems", J. Res. Natl. Bur.
    Stand. 49 (1952) 409-436.
    """
    x, z, q = np.zeros_like(b), np.empty_like(b), np.empty_like(b)
    if deflation is not None:
        deflation.solve(b, x)
    residual = preconditioner.apply(b, z)
    p = z.copy()
    progress = Progress(residual)
    converged = not residual.any()
    while not converged and progress.iterations < max_iterations:
        if keep_basis and progress.iterations < MAX_BASIS:
            length = np.maximum(np.sqrt(residual[:RITZ_COLUMNS]), np.finfo(b.dtype).tiny)
            progress.basis.append(z[:, :RITZ_COLUMNS] / length.astype(b.dtype))
        curvature = operator.product(p, q)
        if np.any((curvature <= 0) & (residual > 0)):
            raise DidNotConverge("conjugate gradients met a direction in which the network is not stable")
        step = np.divide(residual, curvature, out=np.zeros_like(residual), where=curvature > 0)
        kernels.add_columns(operator.rows, step.astype(b.dtype), p, x)
        kernels.add_columns(operator.rows, (-step).astype(b.dtype), q, b)
        new = preconditioner.apply(b, z)
        ratio = np.divide(new, residual, out=np.zeros_like(residual), where=residual > 0)
        residual = new
        progress.residual = residual
        progress.steps.append(step)
        progress.ratios.append(ratio)
        converged = done(progress, preconditioner.unseen) or not residual.any()
        kernels.grow_columns(operator.rows, ratio.astype(b.dtype), z, p)
    return x, progress, converged
