"""Links of a matrix of weights: symmetric or not, each pair once, sums."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from noiseprune.errors import InvalidNetwork, NoisePruneWarning

SYMMETRY_EPS = 16  # |W_ij - W_ji| within this many units of rounding of the largest weight of all counts as equal


NEARLY_SYMMETRIC = 1e-3  # relative difference up to which an asymmetry looks like an accident


# A leak may fall short of sum |W_ij| by this share and still count as dominant: a sum of thousands of terms in another
# order (float64), or one that was made in single precision.
LARGEST_INPUT = float(np.finfo(np.float64).max) / 4


class Synapses(NamedTuple):
    """Arrays of one entry a synapse (or a link): ``weight[k]`` leads from neuron ``pre[k]`` to neuron ``post[k]``."""

    post: NDArray[np.integer[Any]]
    pre: NDArray[np.integer[Any]]
    weight: NDArray[np.floating[Any]]


def absolute_row_sums(links: sp.csr_array, symmetric: bool) -> NDArray[np.float64]:
    """sum_j |W_ij| of each neuron from the links alone, (n_neurons,), summed in float64.

    Raises
    ------
    InvalidNetwork
        Where a sum, or a leak that exceeds it a little, would be no number.
    """
    n = links.shape[0]
    magnitude = sp.csr_array((np.abs(links.data), links.indices, links.indptr), shape=links.shape)
    ones = np.ones(n)
    with np.errstate(over="ignore"):
        sums = magnitude @ ones
        sums = np.asarray(sums + magnitude.T @ ones if symmetric else sums, dtype=np.float64)
    beyond = np.flatnonzero(~(sums < LARGEST_INPUT))
    if beyond.size:
        raise InvalidNetwork(
            f"the total input of neuron {beyond[0]}, sum |W_ij|, is beyond {LARGEST_INPUT:.1e}, where numbers "
            f"end ({beyond.size} such neurons): give the weights in other units"
        )
    return sums


def without_diagonal(matrix: sp.csr_array) -> sp.csr_array:
    """Drop the diagonal of a canonical CSR matrix."""
    coo = matrix.tocoo()
    off = coo.row != coo.col
    return sp.csr_array((coo.data[off], (coo.row[off], coo.col[off])), shape=matrix.shape)


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


def is_symmetric(matrix: sp.csr_array) -> bool:
    """Whether a canonical matrix has a symmetric pattern, and pairs that differ by rounding of its largest entry at most."""
    return _equal(matrix, _mirrored(matrix))


def _equal(matrix: sp.csr_array, mirrored: sp.csr_array | None) -> bool:
    if mirrored is None:
        return False
    tolerance = float(SYMMETRY_EPS * np.finfo(matrix.dtype).eps) * np.max(np.abs(matrix.data), initial=0.0)
    return bool(np.max(_differences(matrix, mirrored), initial=0.0) <= tolerance)


def _differences(matrix: sp.csr_array, mirrored: sp.csr_array) -> NDArray[np.floating[Any]]:
    """Return |W_ij - W_ji| of each entry; infinite where it overflows, which no tolerance is."""
    with np.errstate(over="ignore"):
        return np.abs(matrix.data - mirrored.data)


def _mirrored(matrix: sp.csr_array) -> sp.csr_array | None:
    """Transpose a canonical matrix; None where its pattern is not symmetric."""
    if not np.array_equal(np.bincount(matrix.indices, minlength=matrix.shape[0]), np.diff(matrix.indptr)):
        return None  # columns and rows of other lengths: the usual case, found without transposing
    mirrored = matrix.T.tocsr()
    same = np.array_equal(matrix.indptr, mirrored.indptr) and np.array_equal(matrix.indices, mirrored.indices)
    return mirrored if same else None


def as_links(matrix: sp.csr_array, wanted: bool | None = None) -> tuple[sp.csr_array, bool]:
    """Decide whether W is symmetric, and keep each pair once where it is.

    Parameters
    ----------
    matrix : (n_neurons, n_neurons) csr_array
        W, without diagonal.
    wanted : bool, optional
        What the user says; by default W decides, and must then be symmetric exactly.

    Returns
    -------
    links : (n_neurons, n_neurons) csr_array
        W, or what is below its diagonal where it is symmetric.
    symmetric : bool
        Whether it is.

    Raises
    ------
    InvalidNetwork
        Where it is `wanted` symmetric and is not, nearly.
    """
    if wanted is False:
        return matrix, False
    mirrored = _mirrored(matrix)
    difference = np.inf  # the largest of a pair, relative to its larger weight
    if mirrored is not None:
        larger = np.maximum(np.abs(matrix.data), np.abs(mirrored.data))
        difference = float(np.max(_differences(matrix, mirrored) / larger, initial=0.0))
    equal, nearly = _equal(matrix, mirrored), difference <= NEARLY_SYMMETRIC
    if wanted and not (equal or nearly):
        what = (
            f"two weights of a pair differ by {difference:.2g}" if np.isfinite(difference) else "some pairs are one-way"
        )
        raise InvalidNetwork(
            f"symmetric=True, but {what}: leave symmetric out to treat the network as directed, or give (W + W.T) / 2"
        )
    if not (wanted or equal):
        if nearly:
            warnings.warn(
                f"the weights are nearly symmetric (largest relative difference {difference:.1g}) but not equal, so the "
                "network is treated as directed: Network(..., symmetric=True) averages the pairs",
                NoisePruneWarning,
                stacklevel=4,
            )
        return matrix, False
    # halves first: the sum of two large float32 could overflow
    half = matrix.dtype.type(0.5)
    average = matrix * half + matrix.T * half
    return sp.csr_array(sp.tril(average, k=-1, format="csr")), True
