"""Second moments of the activity of a network, in a matrix or as samples: of any neurons among themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_SAMPLES = 512  # more than the inputs that a neuron of a large network usually keeps


class SampleMoments:
    """Second moments that are the mean outer product of samples, so that no n x n matrix need exist.

    Parameters
    ----------
    samples : (n_neurons, k) array
        Independent samples of the activity.
    """

    def __init__(self, samples: NDArray[np.floating[Any]]) -> None:
        self.samples = samples

    def times_two_to(self, exponent: int) -> SampleMoments:
        """Return these moments times a power of two; an even one keeps every digit."""
        return SampleMoments((self.samples * np.sqrt(np.ldexp(1.0, exponent))).astype(self.samples.dtype))

    def scale(self) -> float:
        """Return the mean second moment."""
        return float(np.mean(np.square(self.samples, dtype=np.float64)))

    def block(self, inputs: NDArray[Any]) -> Floats:
        """Return the second moments of some inputs among themselves."""
        part = self.samples[inputs].astype(np.float64)
        return np.asarray(part @ part.T / part.shape[1])

    def aims(self, target: sp.csr_array) -> Callable[[int, NDArray[Any]], Floats]:
        """Return a function of a row and some inputs: the second moments of the row's output with these inputs."""
        output = np.asarray(target @ self.samples, dtype=np.float64)
        return lambda row, inputs: self.samples[inputs] @ output[row] / output.shape[1]


class DenseMoments:
    """Second moments as they stand in a matrix, (n_neurons, n_neurons)."""

    def __init__(self, matrix: Floats) -> None:
        self.matrix = matrix

    def times_two_to(self, exponent: int) -> DenseMoments:
        """Return these moments times a power of two."""
        return DenseMoments(np.ldexp(self.matrix, exponent))

    def scale(self) -> float:
        """Return the mean second moment."""
        return float(np.mean(self.matrix.diagonal()))

    def block(self, inputs: NDArray[Any]) -> Floats:
        """Return the second moments of some inputs among themselves."""
        return np.asarray(self.matrix[np.ix_(inputs, inputs)])

    def aims(self, target: sp.csr_array) -> Callable[[int, NDArray[Any]], Floats]:
        """Return a function of a row and some inputs: the second moments of the row's output with these inputs."""
        output = target @ self.matrix
        return lambda row, inputs: output[row, inputs]


Moments = DenseMoments | SampleMoments


class Gatherer:
    """Gathers variances and second moments of states that come a block at a time, beside what else is made of them.

    Parameters
    ----------
    n : int
        Neurons.
    variance, second_moments : bool
        What to gather.
    dense_limit : int
        Neurons up to which second moments are summed in a matrix; above it up to `MOST_SAMPLES` states are kept.
    """

    def __init__(self, n: int, *, variance: bool, second_moments: bool, dense_limit: int) -> None:
        self._squares = np.zeros(n) if variance else None
        self._products = np.zeros((n, n)) if second_moments and n <= dense_limit else None
        self._kept: list[NDArray[np.float32]] | None = [] if second_moments and n > dense_limit else None
        self._count = 0

    def add(self, x: NDArray[Any]) -> None:
        """Take in states, (n, k), of mean zero."""
        if self._squares is not None:
            self._squares += np.einsum("iv,iv->i", x, x, dtype=np.float64)
        if self._products is not None:
            wide = x.astype(np.float64, copy=False)
            self._products += wide @ wide.T
        if self._kept is not None and sum(part.shape[1] for part in self._kept) < MOST_SAMPLES:
            self._kept.append(x.astype(np.float32))
        self._count += x.shape[1]

    def found(self, scale: float = 1.0, mean: Floats | None = None) -> dict[str, Any]:
        """Return ``neuron_variance`` and ``second_moments``, where they were gathered.

        Parameters
        ----------
        scale : float
            What a squared state is multiplied by.
        mean : (n,) array, optional
            Mean of the states, where it is not zero.
        """
        found: dict[str, Any] = {}
        shift = np.zeros(1) if mean is None else mean
        if self._squares is not None:
            found["neuron_variance"] = scale * (self._squares / self._count - shift**2)
        if self._products is not None:
            matrix = self._products / self._count
            found["second_moments"] = DenseMoments(scale * (matrix if mean is None else matrix - np.outer(mean, mean)))
        if self._kept is not None:
            samples = np.concatenate(self._kept, axis=1) - shift[:, None].astype(np.float32)
            found["second_moments"] = SampleMoments(np.float32(np.sqrt(scale)) * samples)
        return found
