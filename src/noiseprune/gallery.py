"""Networks with known structure, made anew from a seed: the paper's clusters, excitatory-inhibitory, sheet, ring, random.

Every function takes ``rng``, a seed or a NumPy Generator, and returns a `Network`; all are
stable but those with a gain of 1 or more, or without excess leak where no sign is negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from noiseprune.errors import InvalidOption, check_choice
from noiseprune.linalg.spectrum import spectral_abscissa
from noiseprune.machine.randomness import Rng, generator
from noiseprune.network import Network
from noiseprune.network.links import absolute_row_sums

Indices = NDArray[np.int64]
Floats = NDArray[np.float64]

NOTHING = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))
HEADROOM = 1.1  # W is divided by this times its largest eigenvalue (the paper's scaling)


def clustered(
    sizes: Sequence[int],
    within: float = 0.6,
    between: int = 0,
    *,
    symmetric: bool = True,
    signed: bool = False,
    dominance: Literal["individual", "common"] = "individual",
    gain: float | None = None,
    rng: Rng = 0,
) -> Network:
    """Dense clusters joined by few long-range synapses, the paper's network.

    Parameters
    ----------
    sizes : sequence of int
        Neurons in each cluster.
    within : float
        Probability of a synapse (of a pair where symmetric) inside a cluster.
    between : int
        Long-range synapses (half as many pairs where symmetric), endpoints uniform over all neurons; each adds a
        weight uniform on (0, 1).
    symmetric : bool
        Pairs of equal weight, or each direction on its own.
    signed : bool
        Weights inside clusters are uniform on (0, 1), or normal with mean 1 and standard deviation 1 where signed.
    dominance : "individual" or "common"
        Leak sum_j |W_ij| + excess of each neuron (excess 0.001 unsigned, 0 signed), or the largest of these for all.
    gain : float, optional
        Instead of a dominant leak: leak 1 for all, and W scaled so that its spectral abscissa is `gain`.
    rng : int or Generator
        Seed or source of all that is random.

    Returns
    -------
    Network
        Clusters one after the other.

    Raises
    ------
    InvalidOption
        Where a size, a probability or a number of synapses makes no sense.

    References
    ----------
    E. Moore and R. Chaudhuri, "Using noise to probe recurrent neural network structure and prune synapses",
    NeurIPS 2020.

    Examples
    --------
    >>> net = clustered([60, 20, 20], between=40, rng=5)
    >>> net.n_neurons, net.symmetric, net.dominant
    (100, True, True)
    """
    random = generator(rng)
    n = int(sum(sizes))
    if min(sizes, default=0) < 1:
        raise InvalidOption(f"sizes must hold at least one cluster of at least one neuron; got {list(sizes)}")
    _probability("within", within)
    check_choice("dominance", dominance, ("individual", "common"))
    parts = []
    for start, size in zip(np.cumsum([0, *sizes[:-1]]), sizes, strict=True):
        post, pre = _random_places(size, within, symmetric, random)
        weight = random.normal(1.0, 1.0, post.size) if signed else random.random(post.size)
        parts.append((post + start, pre + start, weight))
    if between < 0:
        raise InvalidOption(f"between is a number of synapses, zero or more; got {between}")
    count = between // 2 if symmetric else between
    post, pre = _distinct_endpoints(n, count, random)
    if symmetric:
        post, pre = np.maximum(post, pre), np.minimum(post, pre)
    parts.append((post, pre, random.random(count)))
    links = _assemble(n, parts)
    if gain is not None:
        return _with_gain(links, symmetric, gain)
    return _with_dominant_leak(links, symmetric, 0.0 if signed else 0.001, dominance)


def erdos_renyi(
    n: int,
    connection: float,
    *,
    symmetric: bool = True,
    signed: bool = False,
    dominance: Literal["individual", "common"] = "individual",
    gain: float | None = None,
    rng: Rng = 0,
) -> Network:
    """Make a random network: each synapse (each pair where symmetric) exists with the same probability.

    It is one cluster of `clustered`.

    Parameters
    ----------
    n : int
        Neurons.
    connection : float
        Probability of a synapse, or of a pair.
    symmetric, signed, dominance, gain, rng
        As in `clustered`.

    Returns
    -------
    Network
        Of n neurons.

    Raises
    ------
    InvalidOption
        As in `clustered`.

    References
    ----------
    E. N. Gilbert, "Random graphs", Ann. Math. Statist. 30 (1959) 1141-1144; P. Erdős and A. Rényi, "On random graphs
    I", Publ. Math. Debrecen 6 (1959) 290-297.

    Examples
    --------
    >>> erdos_renyi(50, 0.2, signed=True, rng=5).dominant
    True
    """
    return clustered(
        [n], within=connection, symmetric=symmetric, signed=signed, dominance=dominance, gain=gain, rng=rng
    )


def excitatory_inhibitory(
    n: int, connection: float = 0.3, inhibitory: float = 0.2, gain: float = 0.9, *, rng: Rng = 0
) -> Network:
    """Excitatory and inhibitory neurons that obey Dale's law; directed, leak 1, W scaled to spectral abscissa `gain`.

    Parameters
    ----------
    n : int
        Neurons.
    connection : float
        Probability of each directed synapse; weights are log-normal(0, 1).
    inhibitory : float
        Share of inhibitory neurons, the last ones; what they send is multiplied by -4.
    gain : float
        Spectral abscissa of W; the network's own is ``gain - 1``.
    rng : int or Generator
        Seed or source of all that is random.

    Returns
    -------
    Network
        Excitatory neurons first.

    Raises
    ------
    InvalidOption
        Where a probability or a share is not between 0 and 1.

    Examples
    --------
    >>> net = excitatory_inhibitory(50, rng=5)
    >>> bool((net.synapses.weight[net.synapses.pre >= 40] < 0).all())
    True
    """
    random = generator(rng)
    _probability("connection", connection)
    _probability("inhibitory", inhibitory)
    post, pre = _random_places(n, connection, False, random)
    weight = random.lognormal(0.0, 1.0, post.size)
    weight[pre >= n - round(inhibitory * n)] *= -4
    return _with_gain(_assemble(n, [(post, pre, weight)]), False, gain)


def sheet(rows: int, columns: int, radius: float = 3.0, excess: float = 1e-5, *, rng: Rng = 0) -> Network:
    """A sheet of neurons, each joined to all within `radius`: symmetric, positive, open edges.

    Parameters
    ----------
    rows, columns : int
        Neurons lie on a grid of this shape, numbered row by row.
    radius : float
        Each pair within this Euclidean distance is connected, weight log-normal(0, 1).
    excess : float
        D_i = sum_j W_ij + excess times the mean of these sums.
    rng : int or Generator
        Seed or source of the weights.

    Returns
    -------
    Network
        Of rows x columns neurons.

    Raises
    ------
    InvalidOption
        Where there is no row or no column.

    Examples
    --------
    >>> sheet(4, 5, radius=1, rng=5).n_links  # 4 x 4 pairs along rows, 3 x 5 along columns
    31
    """
    random = generator(rng)
    if min(rows, columns) < 1:
        raise InvalidOption(f"a sheet has at least one row and one column; got {rows} x {columns}")
    number = np.arange(rows * columns).reshape(rows, columns)
    reach = int(radius)
    parts = [NOTHING]
    for down in range(reach + 1):
        for right in range(-reach, reach + 1):
            # each pair once: the later neuron is below, or to the right in the same row
            if down * down + right * right > radius * radius or (down == 0 and right <= 0):
                continue
            pre = number[: rows - down, max(0, -right) : columns - max(0, right)].ravel()
            post = number[down:, max(0, right) : columns - max(0, -right)].ravel()
            parts.append((post, pre, random.lognormal(0.0, 1.0, post.size)))
    links = _assemble(rows * columns, parts)
    sums = absolute_row_sums(links, True)
    return _made(links, sums + excess * sums.mean(), True)


def exuberant(network: Network, extra: float = 1.0, strength: float = 0.1, *, rng: Rng = 0) -> Network:
    """Add weak synapses at random, as a young brain does before it prunes.

    Parameters
    ----------
    network : Network
        What is overgrown; its own synapses stay as they are.
    extra : float
        Links added for each link that there is, at places that have none.
    strength : float
        Weights are those of the network, shuffled, times this. Where the network is directed, a new synapse has the
        sign that most synapses of its presynaptic neuron have.
    rng : int or Generator
        Seed or source of places and weights.

    Returns
    -------
    Network
        Every leak is larger by the neuron's new input, so that the excess stays.

    Raises
    ------
    InvalidOption
        Where the network has no room for so many links.

    Examples
    --------
    >>> young = exuberant(ring(20, 2), extra=0.5, rng=5)
    >>> young.n_links, young.dominant
    (60, True)
    """
    random = generator(rng)
    n, csr = network.n_neurons, network.link_matrix
    room = n * (n - 1) // network.synapses_per_link - network.n_links
    count = round(extra * network.n_links)
    if not 0 <= count <= room:
        raise InvalidOption(f"extra={extra:g} asks for {count} links; this network has room for 0 to {room}")
    taken = np.sort(network.links.post.astype(np.int64) * n + network.links.pre)
    new = np.zeros(0, dtype=np.int64)
    while new.size < count:  # a few rounds: places that are taken, and both ends on one neuron, are drawn again
        post, pre = _distinct_endpoints(n, 2 * (count - new.size), random)
        if network.symmetric:
            post, pre = np.maximum(post, pre), np.minimum(post, pre)
        place = random.permutation(np.setdiff1d(post * n + pre, np.concatenate([taken, new])))
        new = np.concatenate([new, place[: count - new.size]])
    post, pre = np.divmod(new, n)
    weight = strength * random.choice(csr.data, count).astype(np.float64)
    if not network.symmetric:
        sent = np.bincount(network.links.pre, weights=np.sign(network.links.weight), minlength=n)
        weight = np.abs(weight) * np.where(sent < 0, -1.0, 1.0)[pre]
    added = _assemble(n, [(post, pre, weight)])
    links = sp.csr_array(csr + added.astype(csr.dtype))
    links.sort_indices()
    return network.replace(links=links, leak=network.leak + absolute_row_sums(added, network.symmetric))


def ring(n: int, neighbours: int = 1, excess: float = 0.1, *, weight: float = 1.0, rng: Rng = 0) -> Network:  # noqa: ARG001
    """A ring: each neuron joined to its next `neighbours` on both sides, all with the same weight.

    Its eigenvalues are known: -(D - 2 weight sum_d cos(2 pi k d / n)), k = 0 ... n - 1, with
    D = 2 neighbours |weight| + excess. Nothing in it is random.

    Parameters
    ----------
    n : int
        Neurons.
    neighbours : int
        Neurons on either side that each is joined to, fewer than n / 2.
    excess : float, 1/s
        D_i - sum_j |W_ij|.
    weight : float, 1/s
        Of every synapse.
    rng : int or Generator
        Not used; taken so that all of the gallery is called alike.

    Returns
    -------
    Network
        Symmetric.

    Raises
    ------
    InvalidOption
        Where there is no neighbour, or there are too many.

    Examples
    --------
    >>> ring(6).n_links
    6
    """
    if not 0 < 2 * neighbours < n:
        raise InvalidOption(
            f"a ring of {n} neurons has room for fewer than {n / 2:g} neighbours a side; got {neighbours}"
        )
    i = np.tile(np.arange(n), neighbours)
    j = (i + np.repeat(np.arange(1, neighbours + 1), n)) % n
    links = _assemble(n, [(np.maximum(i, j), np.minimum(i, j), np.full(i.size, weight))])
    return _made(links, absolute_row_sums(links, True) + excess, True)


def _random_places(n: int, probability: float, symmetric: bool, random: np.random.Generator) -> tuple[Indices, Indices]:
    """Choose each pair (post > pre), or each directed synapse, of n neurons with the same probability."""
    if symmetric:
        place = _bernoulli_places(n * (n - 1) // 2, probability, random)
        # pair k of row i starts at i (i - 1) / 2; the square root can be off by one where k is large
        post = ((1 + np.sqrt(1 + 8 * place.astype(np.float64))) / 2).astype(np.int64)
        post -= post * (post - 1) // 2 > place
        post += post * (post + 1) // 2 <= place
        return post, place - post * (post - 1) // 2
    place = _bernoulli_places(n * (n - 1), probability, random)
    post, pre = np.divmod(place, max(n - 1, 1))
    return post, pre + (pre >= post)


def _bernoulli_places(n: int, probability: float, random: np.random.Generator) -> Indices:
    """Choose each of n places with the same probability, in time proportional to those chosen (geometric gaps).

    References
    ----------
    V. Batagelj and U. Brandes, "Efficient generation of large random networks", Phys. Rev. E 71 (2005) 036113.
    """
    if probability == 0 or n == 0:
        return np.zeros(0, dtype=np.int64)
    places = np.zeros(0, dtype=np.int64)
    last = -1
    while last < n - 1:
        expected = (n - 1 - last) * probability
        gaps = random.geometric(probability, int(expected + 5 * np.sqrt(expected) + 10))
        gaps = np.minimum(gaps, n + 1)  # past the end; the sum of larger ones would overflow
        more = last + np.cumsum(gaps)
        last = int(more[-1])
        places = np.concatenate([places, more]) if places.size else more
    return places[places < n]


def _distinct_endpoints(n: int, count: int, random: np.random.Generator) -> tuple[Indices, Indices]:
    """Choose `count` ordered pairs of two different neurons, uniformly."""
    if count and n < 2:
        raise InvalidOption("long-range synapses need at least two neurons")
    post = random.integers(0, n, count)
    pre = random.integers(0, max(n - 1, 1), count)
    return post, pre + (pre >= post)


def _assemble(n: int, parts: Sequence[tuple[Indices, Indices, Floats]]) -> sp.csr_array:
    """Put links together, summing those at the same place."""
    post, pre, weight = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    links: Any = sp.coo_array((weight, (post.astype(np.int32), pre.astype(np.int32))), shape=(n, n)).tocsr()
    links.sum_duplicates()
    links.eliminate_zeros()
    return links


def _full(links: sp.csr_array, symmetric: bool) -> sp.csr_array:
    return (links + links.T).tocsr() if symmetric else links


def _with_dominant_leak(links: sp.csr_array, symmetric: bool, excess: float, dominance: str) -> Network:
    largest = spectral_abscissa(_full(links, symmetric), symmetric=symmetric) if links.nnz else 0.0
    if largest > 0:
        links.data /= HEADROOM * largest
    leak = absolute_row_sums(links, symmetric) + excess
    if not leak.all():  # an isolated neuron without excess would have no leak at all
        leak[leak == 0] = np.median(leak[leak > 0]) if leak.any() else 1.0
    if dominance == "common":
        leak = np.full(leak.size, leak.max())
    return _made(links, leak, symmetric)


def _with_gain(links: sp.csr_array, symmetric: bool, gain: float) -> Network:
    largest = spectral_abscissa(_full(links, symmetric), symmetric=symmetric) if links.nnz else 0.0
    if not largest > 0:
        raise InvalidOption(
            f"the weights have no eigenvalue with a positive real part, so no gain of {gain:g} can be set"
        )
    links.data *= gain / largest
    return _made(links, np.ones(links.shape[0]), symmetric)


def _made(links: sp.csr_array, leak: Floats, symmetric: bool) -> Network:
    if not np.all(leak > 0):
        raise InvalidOption(f"neuron {np.argmin(leak)} would have a leak of {leak.min():g}: give a positive excess")
    return Network.from_links(links, leak, np.ones(leak.size), symmetric=symmetric)


def _probability(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise InvalidOption(f"{name} is a probability, from 0 to 1; got {value}")
