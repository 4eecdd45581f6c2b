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
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from noiseprune.errors import InvalidNetwork
from noiseprune.machine.display import Displayed
from noiseprune.network.checks import _bad_diagonal, _per_neuron, check_labels, square_matrix
from noiseprune.network.links import Synapses, _frozen, absolute_row_sums, as_links, without_diagonal
from noiseprune.network.squares import bare_square

Activation = Literal["linear", "rectified", "tanh"]
ACTIVATIONS: tuple[Activation, ...] = ("linear", "rectified", "tanh")

DOMINANCE_ROUNDING = {np.dtype(np.float64): 2e-13, np.dtype(np.float32): 2e-6}


class Network(Displayed):
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
            check_labels(names if labels is None else labels, n),
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
        """Return a network that differs from this one in what is given, unchecked as in `from_links`.

        Parameters
        ----------
        links : (n_neurons, n_neurons) csr_array, optional
            As in `from_links`.
        leak, noise_std : (n_neurons,) array, optional
            D in 1/s, and sigma.
        activation : str, optional
            As in `Network`.
        origin : dict, optional
            Where the network comes from.
        """
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
    def dominance_margin(self) -> NDArray[np.float64]:
        """D_i - sum_j |W_ij|, (n_neurons,); zero where it is negative by no more than rounding."""
        excess = self.leak - self.total_input
        return _frozen(np.where((excess < 0) & (excess >= -self._rounding), 0.0, excess))

    @property
    def excess_leak(self) -> NDArray[np.float64]:
        """The dominance margin, by its name in the first release."""
        return self.dominance_margin

    @property
    def has_excess(self) -> NDArray[np.bool_]:
        """Which neurons have a leak above their total input by more than rounding, (n_neurons,)."""
        return self.dominance_margin > self._rounding

    @property
    def _rounding(self) -> NDArray[np.float64]:
        return DOMINANCE_ROUNDING[self._links.dtype] * self.leak

    @property
    def dominant(self) -> bool:
        """Whether every neuron is diagonally dominant, D_i >= sum_j |W_ij|."""
        return bool(np.all(self.dominance_margin >= 0))

    @property
    def equal_noise(self) -> bool:
        """Whether every neuron has the same noise."""
        return bool(np.all(self.noise_std == self.noise_std[0]))

    def name(self, neuron: int) -> str:
        """Name a neuron for a person: its label, or its number."""
        return str(neuron) if self.labels is None else str(self.labels[neuron])


def _made_again(cls: type[Network], state: tuple[Any, ...]) -> Network:
    """Make a network from what `Network.__reduce__` has taken apart."""
    net = cls.__new__(cls)
    net._fill(*state)
    return net
