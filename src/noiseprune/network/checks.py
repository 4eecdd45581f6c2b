"""What people give as weights, as one number a neuron and as labels, checked."""

from __future__ import annotations

import os
import sys
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from noiseprune.errors import InvalidNetwork
from noiseprune.network.links import SYMMETRY_EPS, without_diagonal


def is_laplacian(matrix: sp.csr_array) -> bool:
    """Whether a matrix is a graph Laplacian: a positive diagonal over entries that are not, rows or columns that sum to 0."""
    diagonal = matrix.diagonal()
    if not (diagonal >= 0).all() or not diagonal.any() or (without_diagonal(matrix).data > 0).any():
        return False
    largest = float(diagonal.max())
    scaled = matrix / largest  # lest sums overflow
    rounding = float(SYMMETRY_EPS * np.finfo(matrix.dtype).eps) * np.sqrt(matrix.shape[0])
    return any(bool(np.max(np.abs(scaled.sum(axis=axis))) <= rounding) for axis in (0, 1))


def _bad_diagonal(operator: sp.csr_array, diagonal: NDArray[np.float64], bad: NDArray[np.intp]) -> str:
    """Say what a matrix is that is no operator, and what would read it."""
    if is_laplacian(operator):
        return (
            "the matrix is a graph Laplacian (a positive diagonal, rows or columns that sum to zero), where A = W - diag(leak) "
            'was expected: content="laplacian" reads its couplings W = -L off the diagonal'
        )
    i = int(bad[0])
    place = f"neuron {i} has {diagonal[i]:g} ({bad.size} of {diagonal.size} neurons)"
    if (diagonal > 0).all() and not (without_diagonal(operator).data > 0).any() and operator.nnz > diagonal.size:
        return (
            f"the diagonal of A = W - diag(leak) must be negative; {place}, and nothing off it is positive, as if the signs "
            "were turned round: give the negative of the matrix"
        )
    if not (diagonal < 0).any():
        i, found = int(np.flatnonzero(diagonal)[0]), int(np.count_nonzero(diagonal))
        place = f"neuron {i} has {diagonal[i]:g} ({found} of {diagonal.size} neurons are not zero)"
        return (
            f"the diagonal of A = W - diag(leak) must be negative, that of weights zero; {place}: where these are "
            'self-connections of weights, content="weights" drops them'
        )
    return (
        f"the diagonal of A = W - diag(leak) must be negative; {place}: give Network(W, leak) with positive leaks, or "
        'say content="weights" or content="operator"'
    )


def check_sparse(matrix: Any) -> Any:
    """Return a sparse matrix whose indices and pointers hold together, as compiled code trusts them; ValueError if not."""
    if hasattr(matrix, "check_format"):  # SciPy (1.17) checks the other layouts when it makes them
        pointers = matrix.indptr
        # SciPy looks at none of this where the last pointer, which should count the entries, is not above 0
        if len(pointers) == 0 or pointers[0] != 0 or (pointers[1:] < pointers[:-1]).any():
            raise ValueError("indptr must begin with 0 and must not decrease")
        matrix.check_format(full_check=True)
    return matrix


def square_matrix(given: ArrayLike | sp.sparray | sp.spmatrix, name: str, *, copy: bool = True) -> sp.csr_array:
    """Bring `given` into a canonical CSR array (sorted, summed, no stored zeros) of float32 or float64.

    Parameters
    ----------
    given : (n_neurons, n_neurons) array_like or SciPy sparse
        What a user gave; a tensor as well.
    name : str
        What it is, for the messages.
    copy : bool
        Without it the result may share memory with what was given, which must then be ours.

    Returns
    -------
    (n_neurons, n_neurons) csr_array
        In the same orientation.

    Raises
    ------
    InvalidNetwork
        Where it is no square matrix of finite real numbers.
    """
    matrix: Any = plain(given, name)
    if sp.issparse(matrix):
        try:
            check_sparse(matrix)
        except ValueError as error:
            raise InvalidNetwork(f"{name} is a damaged sparse matrix: {error}") from None
    elif hasattr(given, "link_matrix"):
        raise InvalidNetwork(f"{name} must be a matrix; got a Network, which has its leak: use it as it is")
    elif hasattr(getattr(given, "network", None), "link_matrix"):
        raise InvalidNetwork(
            f"{name} must be a matrix; got a {type(given).__name__}: give the network that it holds, result.network"
        )
    elif isinstance(given, str | os.PathLike):
        raise InvalidNetwork(
            f"{name} must be a matrix; got the name {str(given)!r}: read the file with noiseprune.read"
        )
    else:
        try:
            matrix = np.asarray(matrix)
        except (TypeError, ValueError, RuntimeError) as error:  # each library has its own word for it
            raise InvalidNetwork(f"{name} must be a square matrix: {error}") from None
        if matrix.dtype == object:
            raise InvalidNetwork(f"{name} must hold numbers; got an array of Python objects")
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise InvalidNetwork(f"{name} must be a square matrix (n_neurons, n_neurons); got shape {matrix.shape}")
    if matrix.shape[0] == 0:
        raise InvalidNetwork(f"{name} has no neurons: its shape is (0, 0)")
    if matrix.dtype.kind not in "buif":
        raise InvalidNetwork(f"{name} must hold real numbers; got {matrix.dtype}")
    dtype = matrix.dtype if matrix.dtype in (np.float32, np.float64) else np.float64
    csr = sp.csr_array(
        matrix.astype(dtype, copy=copy), copy=copy
    )  # before duplicates are summed: small integers would wrap
    csr.sum_duplicates()
    bad = np.flatnonzero(~np.isfinite(csr.data))
    if bad.size:
        rows = np.searchsorted(csr.indptr, bad, side="right") - 1
        on_diagonal = np.array_equal(rows, csr.indices[bad])
        remedy = "no self-connections are meant: np.fill_diagonal(W, 0)" if on_diagonal else "drop or mend them"
        raise InvalidNetwork(
            f"{name} must be finite; {name}[{rows[0]}, {csr.indices[bad[0]]}] is {csr.data[bad[0]]} "
            f"({bad.size} such entries{', all on the diagonal' if on_diagonal else ''}): {remedy}"
        )
    csr.eliminate_zeros()
    return csr


def plain(given: Any, name: str) -> Any:
    """Return a tensor as NumPy or SciPy hold it, and anything else as it is; who gives a tensor has imported torch.

    Gradients stay behind, half precision becomes single, sparse tensors stay sparse.

    Raises
    ------
    InvalidNetwork
        Where it is a masked array, or a tensor that is not on the CPU, not real, or cannot be read.
    """
    if isinstance(given, np.ma.MaskedArray):
        raise InvalidNetwork(f"{name} is a masked array; fill it first, {name}.filled(0)")
    torch: Any = sys.modules.get("torch")
    if torch is None or not isinstance(given, torch.Tensor):
        return given
    if given.device.type != "cpu":
        lacking = " (and a tensor on meta has no numbers yet: load them)" if given.device.type == "meta" else ""
        raise InvalidNetwork(f"{name} is a tensor on {given.device}{lacking}: give it from the CPU, with .cpu()")
    if given.is_complex():
        raise InvalidNetwork(f"{name} must hold real numbers; got {given.dtype}")
    try:
        tensor = given.detach().dequantize() if given.is_quantized else given.detach()
        if tensor.dtype not in (torch.float32, torch.float64):
            tensor = tensor.to(torch.float32 if tensor.is_floating_point() else torch.float64)
        if tensor.layout == torch.sparse_csr and tensor.ndim == 2:
            parts = (tensor.values(), tensor.col_indices(), tensor.crow_indices())
            return sp.csr_array(tuple(part.numpy() for part in parts), shape=tuple(tensor.shape))
        if tensor.layout == torch.sparse_csc and tensor.ndim == 2:
            parts = (tensor.values(), tensor.row_indices(), tensor.ccol_indices())
            return sp.csc_array(tuple(part.numpy() for part in parts), shape=tuple(tensor.shape))
        if tensor.layout == torch.sparse_coo and tensor.sparse_dim() == tensor.ndim == 2:
            tensor = tensor.coalesce()
            return sp.coo_array((tensor.values().numpy(), tuple(tensor.indices().numpy())), shape=tuple(tensor.shape))
        return (tensor if tensor.layout == torch.strided else tensor.to_dense()).resolve_neg().numpy()
    except (TypeError, ValueError, RuntimeError) as error:
        raise InvalidNetwork(f"{name} is a tensor that cannot be read: {error}") from None


def _per_neuron(given: ArrayLike, n: int, name: str, *, positive: bool) -> NDArray[np.float64]:
    """Check one number a neuron, or one for all; return a float64 copy, (n,)."""
    given = plain(given, name)
    try:
        values: Any = np.asarray(given)
        if np.iscomplexobj(values):
            raise TypeError("they are complex")
        values = np.array(values, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InvalidNetwork(f"{name} must be a number or {n} numbers, one a neuron: {error}") from None
    if values.ndim == 0:
        values = np.full(n, float(values))
    if values.shape != (n,):
        raise InvalidNetwork(f"{name} must be a number or have shape ({n},), one a neuron; got shape {values.shape}")
    wrong = np.flatnonzero(~(np.isfinite(values) & (values > 0 if positive else values >= 0)))
    if wrong.size:
        rule = "positive" if positive else "zero or positive"
        raise InvalidNetwork(
            f"{name} must be {rule} and finite; neuron {wrong[0]} has {values[wrong[0]]:g} ({wrong.size} such neurons)"
        )
    if not values.any():
        raise InvalidNetwork(f"{name} is zero for every neuron: without noise there is nothing to measure")
    return values


def check_labels(labels: Any, n: int) -> tuple[int | str, ...] | None:
    """Check that labels are distinct names, one a neuron.

    Parameters
    ----------
    labels : sequence of int or of str, or None
        What a user gave.
    n : int
        Neurons.

    Returns
    -------
    tuple of int or of str, or None
        The names as Python's own.

    Raises
    ------
    InvalidNetwork
        Where they are no sequence, not n, empty, mixed or not distinct.
    """
    if labels is None:
        return None
    try:
        given = labels.tolist() if isinstance(labels, np.ndarray) else list(labels)
    except TypeError:
        raise InvalidNetwork(f"labels must be a sequence of {n} names; got {labels!r}") from None
    if len(given) != n:
        raise InvalidNetwork(f"labels must name each of the {n} neurons; got {len(given)} labels")
    names = [_checked_label(label) for label in given]
    if "" in names:
        place = names.index("")
        raise InvalidNetwork(f"a label must be an int or a non-empty str; label {place} is {given[place]!r}")
    if len({type(x) for x in names}) > 1:
        raise InvalidNetwork("labels must be all int or all str, not a mixture: give them all as str")
    if len(set(names)) < n:
        seen: set[int | str] = set()
        twice = next(x for x in names if x in seen or seen.add(x))  # type: ignore[func-returns-value]
        raise InvalidNetwork(f"labels must be distinct; {twice!r} names more than one neuron")
    return tuple(names)


def _checked_label(label: Any) -> int | str:
    """Return a label as a Python int or str; the empty str where it is neither."""
    if isinstance(label, str):
        return label
    return int(label) if isinstance(label, int | np.integer) and not isinstance(label, bool) else ""
