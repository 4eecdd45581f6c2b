"""Linear systems with many right-hand sides at once, at any size: blocks of vectors over compiled products.

A block is an (n, k) array. What a product reads of a synapse, it uses for all k vectors.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cached_property
from operator import itemgetter
from typing import Any, Protocol

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from noiseprune.errors import DidNotConverge
from noiseprune.linalg import kernels

logger = logging.getLogger("noiseprune")

Floats = NDArray[np.float64]
Block = NDArray[np.floating[Any]]

MAX_ITERATIONS = 5_000  # of conjugate gradients, before they are given up
DIAGONAL_PATIENCE = 60  # iterations with a diagonal preconditioner before aggregation is tried
AGGREGATION_PATIENCE = 200  # iterations with aggregation before it is given up for the diagonal
RITZ_COLUMNS = 16  # vectors of a block whose Lanczos vectors are kept: slow modes that nearly tie need several
WATCHED_COLUMNS = 4  # vectors of a block whose smallest Ritz value is looked at after each iteration
MAX_BASIS = 32  # iterations of which Lanczos vectors are kept; where more are needed, slow modes are no small number
MAX_LESSONS = 3  # blocks from which slow modes are learnt
WORTH_A_LESSON = 8  # iterations below which a block has nothing to teach
SLOW = 0.5  # eigenvalues of D^-1 (-A) below it are slow: in a random network the bulk lies around 1
MAX_CANDIDATES = 64  # Ritz vectors that are looked at closer
UNCONVERGED = 0.9  # last entry of a Ritz vector's coefficients from which it is no candidate
DUPLICATE = 0.01  # directions of which less than this was found, in squared length, are noise
RITZ_RESIDUAL = 0.1  # a Ritz vector further from an eigenvector than this is not taken for one


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
        """K right-hand sides B g with random signs g, of which -A = B B^T; excess must not be negative."""
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


# --- preconditioners --------------------------------------------------------------------------------------------------


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


class Aggregation:
    """One V-cycle of pyamg's smoothed aggregation, run on a whole block, with a damped Jacobi step on either side.

    pyamg finds the levels; it applies them to one vector at a time, so the cycle is ours.

    Parameters
    ----------
    operator : Laplacian
        Of positive synapses, or of any signs with `sides`.
    sides : (n,) array
        1 and -1: x_i sides_i is near to constant in slow modes.
    """

    name = "smoothed aggregation"
    unseen = 0.3

    def __init__(self, operator: Laplacian, sides: NDArray[Any]) -> None:
        import pyamg

        matrix = operator.matrix()
        self._operator = operator
        # pyamg estimates spectral radii from NumPy's global generator: the same each time, and left as it was
        state = np.random.get_state()  # noqa: NPY002
        np.random.seed(operator.n % 2**32)  # noqa: NPY002
        try:
            with np.errstate(all="ignore"):
                hierarchy = pyamg.smoothed_aggregation_solver(
                    sp.csr_matrix(matrix), B=sides.astype(np.float64)[:, None], symmetry="symmetric", max_coarse=500
                )
        finally:
            np.random.set_state(state)  # noqa: NPY002
        dtype = operator.dtype
        self._levels = [_Level(level, dtype) for level in hierarchy.levels[:-1]]
        # a mode that is almost singular is not blown up beyond what the precision can tell from the others
        values, vectors = np.linalg.eigh(hierarchy.levels[-1].A.toarray())
        values = np.maximum(values, 10 * np.finfo(dtype).eps * values[-1])
        self._coarsest = ((vectors / values) @ vectors.T).astype(dtype)
        self.sizes = [level.A.shape[0] for level in hierarchy.levels]

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
    """X . y of each column, (k,)."""
    dots = np.empty((kernels.CHUNKS, x.shape[1]))
    kernels.column_dots(rows, x, y, dots)
    return np.asarray(dots.sum(axis=0))


# --- conjugate gradients ----------------------------------------------------------------------------------------------


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
        size, mix = np.linalg.eigh(_gram(rows, candidates, diagonal * candidates))
        new = size > DUPLICATE
        U = _combination(rows, candidates, mix[:, new] / np.sqrt(size[new]))
        AU = np.empty_like(U)
        operator.product(U, AU)
        values, turn = np.linalg.eigh(_gram(rows, U, AU))
        U, AU = _combination(rows, U, turn), _combination(rows, AU, turn)
        off = AU / diagonal - values.astype(dtype) * U
        good = (values > 0) & (values < SLOW) & (column_dots(rows, off, diagonal * off) < RITZ_RESIDUAL**2)
        self.values: Floats = values[good]
        self.vectors: Block = np.ascontiguousarray(U[:, good])
        self._rows, self._images = rows, np.ascontiguousarray(AU[:, good])

    def solve(self, b: Block, x: Block) -> None:
        """Add the solution within the slow modes to x, and take its image off b."""
        if self.values.size:
            factors = (_gram(self._rows, self.vectors, b) / self.values[:, None]).astype(b.dtype)
            kernels.add_combination(self._rows, self.vectors, factors, x)
            kernels.add_combination(self._rows, self._images, -factors, b)


def _slow_ritz_vectors(operator: Laplacian, progress: Progress) -> Block:
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


def _gram(rows: NDArray[Any], x: Block, y: Block) -> Floats:
    dots = np.empty((kernels.CHUNKS, x.shape[1], y.shape[1]))
    kernels.gram(rows, x, y, dots)
    return np.asarray(dots.sum(axis=0))


def _combination(rows: NDArray[Any], x: Block, factors: Floats) -> Block:
    y = np.zeros((x.shape[0], factors.shape[1]), x.dtype)
    kernels.add_combination(rows, x, factors.astype(x.dtype), y)
    return y


# --- one solver -------------------------------------------------------------------------------------------------------


class Solver:
    """Solves -A x = b, again and again, with what the first block showed to be needed.

    The first block is tried with a diagonal preconditioner. Where that is quick, the slow modes that it met are solved
    for directly from then on (`Deflation`); where it is slow, as on sheets and rings, smoothed aggregation takes over.

    Parameters
    ----------
    operator : Laplacian
        What to invert.
    sides : (n,) array
        1 and -1: neurons on the same side swing together in slow modes.
    """

    def __init__(self, operator: Laplacian, sides: NDArray[Any]) -> None:
        self.operator = operator
        self._sides = sides
        self._preconditioner: Preconditioner = Diagonal(operator)
        # without frustration, all neurons swinging together is a mode, as slow as the excess leak is small
        together = sides / np.sqrt(operator.diagonal.sum())
        self._deflation = Deflation(operator, together.astype(operator.dtype)[:, None])
        self._first = True
        self.iterations: list[int] = []

    @property
    def preconditioner(self) -> str:
        """What is used, in words."""
        slow = self._deflation.values.size
        return self._preconditioner.name + (f" and {slow} slow modes" if slow else "")

    def solve(self, b: Block, done: Stop) -> Block:
        """Solve for every column of b.

        Parameters
        ----------
        b : (n, k) array
            Overwritten.
        done : callable
            Says when to stop.

        Raises
        ------
        DidNotConverge
            With how far it came.
        """
        if not self._first:
            return self._run(b, done, MAX_ITERATIONS)
        self._first = False
        diagonal = self._preconditioner
        given = b.copy()
        try:
            return self._run(b, done, DIAGONAL_PATIENCE)
        except DidNotConverge:
            b[:] = given
        try:
            self._preconditioner = Aggregation(self.operator, self._sides)
            logger.info("taking smoothed aggregation: %d iterations did not suffice", DIAGONAL_PATIENCE)
            return self._run(b, done, AGGREGATION_PATIENCE)
        except (DidNotConverge, np.linalg.LinAlgError, MemoryError):
            self._preconditioner, b[:] = diagonal, given
        return self._run(b, done, MAX_ITERATIONS)

    def _run(self, b: Block, done: Stop, patience: int) -> Block:
        first = float(np.mean(np.sqrt(column_dots(self.operator.rows, b, b))))
        learn = isinstance(self._preconditioner, Diagonal) and len(self.iterations) < MAX_LESSONS
        x, progress, converged = conjugate_gradients(
            self.operator,
            b,
            self._preconditioner,
            done,
            max_iterations=patience,
            deflation=self._deflation,
            keep_basis=learn,
        )
        if not converged:
            left = float(np.mean(np.sqrt(column_dots(self.operator.rows, b, b))))
            raise DidNotConverge(
                f"conjugate gradients came to {left / first:.1e} of the first residual in {patience} iterations with the "
                f"preconditioner {self._preconditioner.name}: raise the leak a little (a larger excess over the total input), or "
                "take the exact probe"
            )
        self.iterations.append(progress.iterations)
        if learn and WORTH_A_LESSON <= progress.iterations <= MAX_BASIS:
            found = _slow_ritz_vectors(self.operator, progress)
            self._deflation = Deflation(self.operator, np.concatenate([self._deflation.vectors, found], axis=1))
        return x
