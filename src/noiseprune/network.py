"""The network, and the conventions that hold everywhere in noiseprune.

======================  ==================  ===============================================================
symbol                  name                meaning
======================  ==================  ===============================================================
n, m                    ``n_neurons``,      neurons; synapses (off-diagonal, non-zero, directed entries)
                        ``n_synapses``
W (n, n)                ``weights``         ``weights[i, j]`` is the synapse **from j (pre) to i (post)**
D (n,)                  ``leak``            leak rates in 1/s, positive; a self-connection is part of the leak
A (n, n)                ``matrix()``        A = W - diag(D); stable when every eigenvalue has a negative real part
sigma (n,)              ``noise_std``       standard deviation of the white noise of each neuron
f                       ``activation``      "linear", "rectified" or "tanh": dx/dt = -D x + W f(x) + b + sigma xi
C (n, n)                covariance          A C + C A^T = -diag(sigma^2), of the linear network
s_ij                    sign                sign(W_ij)
v_ij                    difference          Var(x_i - s_ij x_j) = C_ii + C_jj - 2 s_ij C_ij
                        variance
======================  ==================  ===============================================================

**Links.** A decision about a pair of a symmetric network holds for both directions. What the rule decides on is
therefore called a *link*: a pair (post > pre) where the network is symmetric, a synapse where it is directed. Arrays
over links come in the order of ``net.links``, arrays over synapses in the order of ``net.synapses``: in a symmetric
network first every pair with post > pre, then every pair again in the other direction. ``net.spread`` turns the one
into the other.
"""

from __future__ import annotations

import copy
import os
import sys
import warnings
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from noiseprune.errors import InvalidNetwork, NoisePruneWarning
from noiseprune.squares import bare_square

Activation = Literal["linear", "rectified", "tanh"]
ACTIVATIONS: tuple[Activation, ...] = ("linear", "rectified", "tanh")

SYMMETRY_EPS = 16  # |W_ij - W_ji| within this many units of rounding of the largest weight of all counts as equal
NEARLY_SYMMETRIC = 1e-3  # relative difference up to which an asymmetry looks like an accident
# A leak may fall short of sum |W_ij| by this share and still count as dominant: a sum of thousands of terms in another
# order (float64), or one that was made in single precision.
LARGEST_INPUT = float(np.finfo(np.float64).max) / 4
DOMINANCE_ROUNDING = {np.dtype(np.float64): 2e-13, np.dtype(np.float32): 2e-6}


class Synapses(NamedTuple):
    """Arrays of one entry a synapse (or a link): ``weight[k]`` leads from neuron ``pre[k]`` to neuron ``post[k]``."""

    post: NDArray[np.integer[Any]]
    pre: NDArray[np.integer[Any]]
    weight: NDArray[np.floating[Any]]


class Network:
    """A noise-driven recurrent network, dx/dt = -D x + W f(x) + sigma xi, checked once and never changed.

    Parameters
    ----------
    weights : (n_neurons, n_neurons) array_like or SciPy sparse
        ``weights[i, j]`` is the synapse from neuron j to neuron i; zero diagonal. Integers become float64. A square frame
        of pandas or polars or a DataArray is read by its names, rows post as in an array (unless its axes are called pre
        and post), and brings its labels along.
    leak : (n_neurons,) array_like, 1/s
        Positive leak rates; a number stands for all neurons.
    noise_std : (n_neurons,) array_like
        Standard deviation of each neuron's white noise; a number stands for all neurons.
    activation : "linear", "rectified" or "tanh"
        What a neuron sends on.
    labels : sequence of n_neurons int or str, optional
        A distinct name for each neuron.
    symmetric : bool, optional
        Whether W is symmetric. Found out where it is not given: the same pattern, and weights equal up to 16 roundings of
        the largest; pairs are then averaged. True averages weights that differ by up to one part in a thousand, False treats the
        two directions as unrelated.
    origin : dict, optional
        Where the network came from, for its provenance: strings, numbers, lists and dicts.

    Raises
    ------
    InvalidNetwork
        Where the numbers are no network; the message names the place.

    Examples
    --------
    >>> import numpy as np
    >>> net = Network([[0, 0.5], [0.5, 0]], leak=1.0)
    >>> net.symmetric, net.n_synapses, net.n_links
    (True, 2, 1)
    >>> net.matrix().toarray()
    array([[-1. ,  0.5],
           [ 0.5, -1. ]])
    """

    def __init__(
        self,
        weights: ArrayLike | sp.sparray | sp.spmatrix,
        leak: ArrayLike,
        noise_std: ArrayLike = 1.0,
        activation: str = "linear",
        labels: Sequence[int | str] | None = None,
        *,
        symmetric: bool | None = None,
        origin: dict[str, Any] | None = None,
    ) -> None:
        weights, names = bare_square(weights)
        matrix = square_matrix(weights, "weights")
        n = matrix.shape[0]
        on_diagonal = np.flatnonzero(matrix.diagonal())
        if on_diagonal.size:
            i = on_diagonal[0]
            raise InvalidNetwork(
                f"weights has {on_diagonal.size} self-connections, the first at neuron {i} (weight "
                f"{matrix.diagonal()[i]:g}); a self-connection is part of the leak: give the weights without their "
                "diagonal and leak - diag(weights), or Network.from_matrix(weights - diag(leak))"
            )
        if activation not in ACTIVATIONS:
            raise InvalidNetwork(f"activation must be one of {', '.join(ACTIVATIONS)}; got {activation!r}")
        links, is_symmetric = as_links(matrix, symmetric)
        self._fill(
            links,
            _per_neuron(leak, n, "leak", positive=True),
            _per_neuron(noise_std, n, "noise_std", positive=False),
            activation,
            checked_labels(names if labels is None else labels, n),
            is_symmetric,
            origin,
        )

    @classmethod
    def from_matrix(
        cls,
        matrix: ArrayLike | sp.sparray | sp.spmatrix,
        noise_std: ArrayLike = 1.0,
        activation: str = "linear",
        labels: Sequence[int | str] | None = None,
        *,
        symmetric: bool | None = None,
        origin: dict[str, Any] | None = None,
    ) -> Network:
        """Read A = W - diag(leak), the linear operator, in (post, pre) order.

        Parameters
        ----------
        matrix : (n_neurons, n_neurons) array_like or SciPy sparse
            The operator; its diagonal is minus the leak and must be negative everywhere.
        noise_std, activation, labels, symmetric, origin
            As in `Network`.

        Raises
        ------
        InvalidNetwork
            Where the diagonal is not negative everywhere, and as in `Network`.

        Examples
        --------
        >>> Network.from_matrix([[-1.0, 0.5], [0.0, -2.0]]).leak
        array([1., 2.])
        """
        matrix, names = bare_square(matrix)
        operator = square_matrix(matrix, "matrix")
        diagonal = np.asarray(operator.diagonal(), dtype=np.float64)
        bad = np.flatnonzero(diagonal >= 0)
        if bad.size == diagonal.size and not diagonal.any():
            raise InvalidNetwork(
                "the diagonal of the matrix is zero, so it holds weights W and no leak, where the operator "
                "A = W - diag(leak) was expected: give Network(W, leak), or a leak to make with base_leak= "
                '(base_leak="dominant", or a rate with gain=)'
            )
        if bad.size:
            raise InvalidNetwork(_bad_diagonal(operator, diagonal, bad))
        return cls(
            without_diagonal(operator),
            -diagonal,
            noise_std,
            activation,
            names if labels is None else labels,
            symmetric=symmetric,
            origin=origin,
        )

    @classmethod
    def from_links(
        cls,
        links: sp.csr_array,
        leak: NDArray[np.float64],
        noise_std: NDArray[np.float64],
        *,
        symmetric: bool,
        activation: Activation = "linear",
        labels: tuple[int | str, ...] | None = None,
        origin: dict[str, Any] | None = None,
    ) -> Network:
        """Take links that are known to be right, unchecked and uncopied: for our own code after a check.

        Parameters
        ----------
        links : (n_neurons, n_neurons) csr_array
            Sorted, without duplicates or zeros; where `symmetric`, only entries below the diagonal.
        leak, noise_std : (n_neurons,) array
            One number a neuron.
        symmetric : bool
            Whether every link stands for both directions.
        activation, labels, origin
            As in `Network`.
        """
        net = cls.__new__(cls)
        net._fill(links, leak, noise_std, activation, labels, symmetric, origin)
        return net

    def replace(
        self,
        *,
        links: sp.csr_array | None = None,
        leak: NDArray[np.float64] | None = None,
        noise_std: NDArray[np.float64] | None = None,
        activation: Activation | None = None,
        origin: dict[str, Any] | None = None,
    ) -> Network:
        """Return a network that differs from this one in what is given, unchecked as in `from_links`."""
        return Network.from_links(
            self._links if links is None else links,
            self.leak if leak is None else leak,
            self.noise_std if noise_std is None else noise_std,
            symmetric=self.symmetric,
            activation=self.activation if activation is None else activation,
            labels=self.labels,
            origin=self._origin if origin is None else origin,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # copies and pickles are made anew: NumPy's copies of frozen arrays are not frozen
        state = (
            self._links,
            self.leak,
            self.noise_std,
            self.activation,
            self.labels,
            self.symmetric,
            self._origin,
        )
        return _made_again, (type(self), state)

    def _fill(
        self,
        links: sp.csr_array,
        leak: NDArray[np.float64],
        noise_std: NDArray[np.float64],
        activation: Activation,
        labels: tuple[int | str, ...] | None,
        symmetric: bool,
        origin: dict[str, Any] | None,
    ) -> None:
        self._links = links
        self.leak = _frozen(leak)
        self.noise_std = _frozen(noise_std)
        self.activation: Activation = activation
        self.labels = labels
        self.symmetric = symmetric
        self._origin = copy.deepcopy(dict(origin or {}))
        for part in (links.data, links.indices, links.indptr):
            _frozen(part)

    def __repr__(self) -> str:
        kind = "symmetric" if self.symmetric else "directed"
        return f"Network({self.n_neurons} neurons, {self.n_synapses} synapses, {kind}, {self.activation})"

    def _repr_html_(self) -> str:
        from noiseprune.reporting.cards import network_card

        return network_card(self)

    @property
    def link_matrix(self) -> sp.csr_array:
        """The links as a SciPy CSR array; only entries below the diagonal where the network is symmetric."""
        return copy.copy(self._links)  # in a shell of its own, so that nobody can put entries into ours

    @property
    def origin(self) -> dict[str, Any]:
        """Where the network came from; a copy."""
        return copy.deepcopy(self._origin)

    @property
    def n_neurons(self) -> int:
        """The number of neurons, n."""
        return int(self._links.shape[0])

    @property
    def n_links(self) -> int:
        """The number of links: pairs of a symmetric network, synapses of a directed one."""
        return int(self._links.nnz)

    @property
    def n_synapses(self) -> int:
        """The number of synapses (directed entries), m."""
        return self.n_links * self.synapses_per_link

    @property
    def synapses_per_link(self) -> int:
        """2 where the network is symmetric, else 1."""
        return 2 if self.symmetric else 1

    @cached_property
    def links(self) -> Synapses:
        """What the rule decides on, row by row: each pair once (post > pre) where symmetric, else each synapse."""
        csr = self._links
        post = np.repeat(np.arange(self.n_neurons, dtype=csr.indices.dtype), np.diff(csr.indptr))
        return Synapses(_frozen(post), csr.indices, csr.data)

    @property
    def synapses(self) -> Synapses:
        """Every synapse: the links and, where the network is symmetric, the links again in the other direction."""
        post, pre, weight = self.links
        if not self.symmetric:
            return self.links
        return Synapses(np.concatenate([post, pre]), np.concatenate([pre, post]), self.spread(weight))

    def spread(self, per_link: NDArray[Any]) -> NDArray[Any]:
        """Turn one value a link, (n_links,), into one value a synapse, (n_synapses,)."""
        return np.tile(per_link, self.synapses_per_link)

    @property
    def weights(self) -> sp.csr_array:
        """W as a SciPy CSR array; built on each access where the network is symmetric."""
        if not self.symmetric:
            return self.link_matrix
        return (self._links + self._links.T).tocsr()

    def matrix(self) -> sp.csr_array:
        """A = W - diag(leak) as a SciPy CSR array."""
        return (self.weights - sp.diags_array(self.leak)).tocsr()

    @cached_property
    def total_input(self) -> NDArray[np.float64]:
        """sum_j |W_ij|, the total absolute input of each neuron, (n_neurons,)."""
        return _frozen(absolute_row_sums(self._links, self.symmetric))

    @cached_property
    def excess_leak(self) -> NDArray[np.float64]:
        """D_i - sum_j |W_ij|, (n_neurons,); zero where it is negative by no more than rounding."""
        excess = self.leak - self.total_input
        return _frozen(np.where((excess < 0) & (excess >= -self._rounding), 0.0, excess))

    @property
    def has_excess(self) -> NDArray[np.bool_]:
        """Which neurons have a leak above their total input by more than rounding, (n_neurons,)."""
        return self.excess_leak > self._rounding

    @property
    def _rounding(self) -> NDArray[np.float64]:
        return DOMINANCE_ROUNDING[self._links.dtype] * self.leak

    @property
    def dominant(self) -> bool:
        """Whether every neuron is diagonally dominant, D_i >= sum_j |W_ij|."""
        return bool(np.all(self.excess_leak >= 0))

    @property
    def equal_noise(self) -> bool:
        """Whether every neuron has the same noise."""
        return bool(np.all(self.noise_std == self.noise_std[0]))

    def name(self, neuron: int) -> str:
        """Name a neuron for a person: its label, or its number."""
        return str(neuron) if self.labels is None else str(self.labels[neuron])


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
            'was expected: content="laplacian" (--content laplacian) reads its couplings W = -L off the diagonal'
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
            'self-connections of weights, content="weights" (--content weights) drops them'
        )
    return (
        f"the diagonal of A = W - diag(leak) must be negative; {place}: give Network(W, leak) with positive leaks, or "
        'say content="weights" or content="operator"'
    )


def without_diagonal(matrix: sp.csr_array) -> sp.csr_array:
    """Drop the diagonal of a canonical CSR matrix."""
    coo = matrix.tocoo()
    off = coo.row != coo.col
    return sp.csr_array((coo.data[off], (coo.row[off], coo.col[off])), shape=matrix.shape)


def _made_again(cls: type[Network], state: tuple[Any, ...]) -> Network:
    """Make a network from what `Network.__reduce__` has taken apart."""
    net = cls.__new__(cls)
    net._fill(*state)
    return net


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array


def checked(matrix: Any) -> Any:
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

    Without `copy` it may share memory with what was given, which must then be ours.
    """
    matrix: Any = plain(given, name)
    if sp.issparse(matrix):
        try:
            checked(matrix)
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
    """Decide whether W is symmetric, and keep each pair once where it is."""
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


def checked_labels(labels: Any, n: int) -> tuple[int | str, ...] | None:
    """Check that labels are distinct names, one a neuron."""
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
