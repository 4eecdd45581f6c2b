"""Linear systems -A x = b with many right-hand sides, at any size, by what the first of them showed to be needed."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseprune.errors import DidNotConverge
from noiseprune.linalg.blocks import Block, Laplacian, column_dots
from noiseprune.linalg.deflation import Deflation, slow_ritz_vectors
from noiseprune.linalg.krylov import MAX_BASIS, Progress, Stop, conjugate_gradients
from noiseprune.linalg.preconditioners import Aggregation, Diagonal, Preconditioner

logger = logging.getLogger("noiseprune")

MAX_ITERATIONS = 5_000  # of conjugate gradients, before they are given up
DIAGONAL_PATIENCE = 60  # iterations with a diagonal preconditioner before aggregation is tried
AGGREGATION_PATIENCE = 200  # iterations with aggregation before it is given up for the diagonal
MAX_LESSONS = 3  # blocks from which slow modes are learnt
MAX_MODES = 40  # slow modes that are worth their memory and time; more are a crowd, as in sparse random networks
WORTH_A_LESSON = 8  # iterations below which a block has nothing to teach


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
        self._lessons = MAX_LESSONS
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
        learn = isinstance(self._preconditioner, Diagonal) and len(self.iterations) < self._lessons
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
            self._learn(progress)
        return x

    def _learn(self, progress: Progress) -> None:
        found = slow_ritz_vectors(self.operator, progress)
        learnt = Deflation(self.operator, np.concatenate([self._deflation.vectors, found], axis=1))
        if learnt.values.size <= MAX_MODES:
            self._deflation = learnt
        else:
            self._lessons = 0
