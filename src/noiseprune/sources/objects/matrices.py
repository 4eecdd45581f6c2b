"""Matrices: dense or sparse, operator or weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from noiseprune.network import Network
from noiseprune.network.squares import NamedSquare
from noiseprune.sources.reading import BaseLeak, Content


@dataclass(frozen=True)
class MatrixKind:
    """The kind of matrix that a user gave, so that the same can be given back."""

    sparse_format: str | None = "csr"
    sparse_array: bool = True
    weights: bool = False
    dtype: str = "float64"

    @classmethod
    def of(cls, given: Any, content: Content | None, base_leak: BaseLeak | None) -> MatrixKind:
        """Look at what was given.

        Parameters
        ----------
        given : Network, (n_neurons, n_neurons) array_like or SciPy sparse
            (post, pre).
        content, base_leak
            As in `noiseprune.prune`.
        """
        if isinstance(given, Network):
            return cls()
        sparse = sp.issparse(given)
        matrix: Any = given if sparse else np.atleast_2d(np.asarray(given))
        weights = content in ("weights", "laplacian") or (
            content is None and base_leak is not None and not matrix.diagonal().any()
        )
        dtype = "float32" if matrix.dtype == np.float32 else "float64"
        return cls(matrix.format if sparse else None, isinstance(given, sp.sparray), weights, dtype)

    def give_back(self, before: Network, after: Network) -> Any:  # noqa: ARG002 - the other kinds change what they hold
        """Return a network as a matrix of this kind."""
        return self.matrix(after)

    def matrix(self, network: Network) -> Any:
        """Write a network as a matrix of this kind."""
        csr = (network.weights if self.weights else network.matrix()).astype(self.dtype)
        if self.sparse_format is None:
            return csr.toarray()
        return (
            csr.asformat(self.sparse_format) if self.sparse_array else sp.csr_matrix(csr).asformat(self.sparse_format)
        )


@dataclass(frozen=True)
class SquareKind:
    """A frame or DataArray that holds a square matrix with names along its edges."""

    square: NamedSquare
    matrix_kind: MatrixKind

    def give_back(self, before: Network, after: Network) -> Any:  # noqa: ARG002 - the values are all that changes
        """Return the same kind of object, with its names in the order that they had."""
        return self.square.give_back(self.matrix_kind.matrix(after))
