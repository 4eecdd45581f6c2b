"""What people hold becomes a Network: an operator as it is, weights with a leak that is made for them.

A diagonal that is all negative means A = W - diag(leak). An all-zero diagonal means W, which says nothing about the
leak; somebody has to choose one, and what was chosen stands in ``net.origin``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from noiseprune.errors import InvalidNetwork, InvalidOption
from noiseprune.linalg.spectrum import spectral_abscissa
from noiseprune.network import Network
from noiseprune.network.checks import check_labels, is_laplacian, square_matrix
from noiseprune.network.links import absolute_row_sums, as_links, is_symmetric, without_diagonal
from noiseprune.network.squares import bare_square
from noiseprune.sources.reading import BaseLeak, Content

Matrix: TypeAlias = ArrayLike | sp.sparray | sp.spmatrix

MARGIN = 0.05
GAIN = 0.9


def as_network(
    given: Network | Matrix,
    *,
    content: Content | None = None,
    base_leak: BaseLeak | None = None,
    margin: float | None = None,
    gain: float | None = None,
    labels: Sequence[int | str] | None = None,
    origin: dict[str, Any] | None = None,
    copy: bool = True,
) -> Network:
    """Read a matrix in (post, pre) order as a network.

    Parameters
    ----------
    given : Network, or (n_neurons, n_neurons) array_like or SciPy sparse
        A = W - diag(leak), or W; a Network is returned as it is. Square frames and DataArrays are read by their names.
    content : "weights", "operator" or "laplacian", optional
        What the matrix holds; by default its diagonal tells. "laplacian" is a graph Laplacian L, read as the couplings
        W = -L off its diagonal.
    base_leak, margin, gain
        The leak for weights that have none, as in `with_base_leak`.
    labels, origin
        As in `Network`.
    copy : bool
        Whether the matrix is copied; False for one that nobody else holds.

    Raises
    ------
    InvalidNetwork
        Where the diagonal does not tell, or there is no leak and none is to be made.
    InvalidOption
        Where options do not go together, or with what was given.

    Examples
    --------
    >>> as_network([[0, 1], [2, 0]], base_leak="dominant").leak
    array([1.05, 2.1 ])
    """
    if content not in (None, "weights", "operator", "laplacian"):
        raise InvalidOption(f'content must be "weights", "operator" or "laplacian"; got {content!r}')
    if base_leak is None and (margin is not None or gain is not None):
        option = "gain" if margin is None else "margin"
        raise InvalidOption(f"{option} is for a leak that is made, and none is: leave it out, or give base_leak too")
    if isinstance(given, Network):
        if content is not None or base_leak is not None:
            raise InvalidOption("a Network has its leak: leave content and base_leak out")
        return given
    given, names = bare_square(given)
    labels = names if labels is None else labels
    matrix = square_matrix(given, "the matrix", copy=copy)
    zero_diagonal = not matrix.diagonal().any()
    if content is None and base_leak is not None:
        if zero_diagonal:
            content = "weights"
        elif is_laplacian(matrix):
            return Network.from_matrix(matrix)  # which says what it is
    if content in (None, "operator"):
        if base_leak is not None:
            raise InvalidOption(
                "base_leak is for weights that have no leak, and the diagonal of this matrix holds one: leave base_leak "
                'out, or add content="weights" to discard the diagonal'
            )
        return Network.from_matrix(matrix, labels=labels, origin=origin)
    if base_leak is None:
        raise InvalidNetwork(
            'weights without a leak: give Network(W, leak), or base_leak="dominant" (or a rate) to have one made'
        )
    found = dict(origin or {})
    if content == "laplacian":
        if not is_laplacian(matrix):
            raise InvalidNetwork(
                "a graph Laplacian has a positive diagonal, nothing positive off it, and rows or columns that sum to zero; "
                'this matrix does not: leave content="laplacian" out'
            )
        found["laplacian"] = "its couplings, off the diagonal, with their signs turned"
        matrix = -without_diagonal(matrix)
    elif not zero_diagonal:
        found["self_connections_dropped"] = int(np.count_nonzero(matrix.diagonal()))
        matrix = without_diagonal(matrix)
    return _with_base_leak(matrix, base_leak, margin, gain, labels, found)


def with_base_leak(
    weights: Matrix,
    base_leak: BaseLeak = "dominant",
    *,
    margin: float | None = None,
    gain: float | None = None,
    labels: Sequence[int | str] | None = None,
    origin: dict[str, Any] | None = None,
) -> Network:
    """Give weights a leak.

    Parameters
    ----------
    weights : (n_neurons, n_neurons) array_like or SciPy sparse
        W, zero diagonal.
    base_leak : "dominant" or float
        "dominant": D_i = (1 + margin) sum_j |W_ij|, so that the network is stable whatever its wiring; a neuron without
        input gets the median leak of those with input. A rate in 1/s: the same leak for all, and W scaled.
    margin : float, optional
        For "dominant" only: how far the leak exceeds the total input, by default 0.05.
    gain : float, optional
        For a rate only: W is scaled so that its spectral abscissa is `gain` times the rate, below 1; by default 0.9.
    labels, origin
        As in `Network`.

    Raises
    ------
    InvalidNetwork
        Where nothing in the weights sets a scale for the leak.
    """
    weights, names = bare_square(weights)
    labels = names if labels is None else labels
    return _with_base_leak(square_matrix(weights, "weights"), base_leak, margin, gain, labels, dict(origin or {}))


def _with_base_leak(
    matrix: sp.csr_array,
    base_leak: BaseLeak,
    margin: float | None,
    gain: float | None,
    labels: Sequence[int | str] | None,
    found: dict[str, Any],
) -> Network:
    if base_leak == "dominant":
        if gain is not None:
            raise InvalidOption('gain is for a rate, base_leak=1.0 say, and "dominant" was taken: leave gain out')
        margin = MARGIN if margin is None else margin
        if not 0 <= margin < np.inf:
            raise InvalidOption(f"margin must be zero or positive; got {margin}")
        total = absolute_row_sums(matrix, symmetric=False)
        leak, without_input = dominant_leak(total, margin)
        found["base_leak"] = {"kind": "dominant", "margin": margin, "neurons_without_input": without_input}
        if matrix.diagonal().any():
            return Network(matrix, leak, labels=labels, origin=found)  # which says what is wrong with it
        links, symmetric = as_links(matrix)
        return Network.from_links(
            links,
            leak,
            np.ones(len(leak)),
            symmetric=symmetric,
            labels=check_labels(labels, len(leak)),
            origin=found,
        )
    try:
        rate = float(base_leak)
    except (TypeError, ValueError):
        rate = np.nan
    if isinstance(base_leak, bool) or not (0 < rate < np.inf):
        raise InvalidOption(f'base_leak must be "dominant" or a positive rate in 1/s; got {base_leak!r}')
    if margin is not None:
        raise InvalidOption('margin is for base_leak="dominant", and a rate was given: leave margin out')
    gain = GAIN if gain is None else gain
    if not 0 < gain < 1:
        raise InvalidOption(f"gain must lie between 0 and 1, both excluded, for a stable network; got {gain}")
    if matrix.nnz == 0:
        return Network(matrix, rate, labels=labels, origin=found | {"base_leak": {"kind": "rate", "rate": rate}})
    abscissa = spectral_abscissa(matrix, symmetric=is_symmetric(matrix))
    if abscissa <= 0:  # as of every acyclic network
        raise InvalidNetwork(
            f"the spectral abscissa of the weights is {abscissa:.2g}, not positive, so no scaling gives them a gain of "
            f'{gain:g}: use base_leak="dominant"'
        )
    scale = gain * rate / abscissa
    found["base_leak"] = {"kind": "rate", "rate": rate, "gain": gain, "weights_scaled_by": scale}
    return Network(matrix * scale, rate, labels=labels, origin=found)


def dominant_leak(total_input: NDArray[np.float64], margin: float) -> tuple[NDArray[np.float64], int]:
    """Return D_i = (1 + margin) sum_j |W_ij|, and how many neurons without input got the median of the others.

    Parameters
    ----------
    total_input : (n_neurons,) array
        The sum of abs(W_ij) over j, 1/s.
    margin : float
        How far the leak exceeds it.

    Raises
    ------
    InvalidNetwork
        Where no neuron has an input.
    """
    silent = total_input == 0
    leak = (1 + margin) * total_input
    if silent.all():
        raise InvalidNetwork("no neuron has an input, so nothing sets a scale for the leak: give a rate, base_leak=1.0")
    leak[silent] = np.median(leak[~silent])
    return leak, int(np.count_nonzero(silent))
