"""The order of neurons in which clusters show, and weights summed into pixels of it."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from noiseprune.machine import limits
from noiseprune.network import Network
from noiseprune.network.structure import _component_of

SMOOTHINGS = 50  # by which differences inside a cluster of mean degree ten have shrunk to a hundredth


PARTS = 50


def cluster_order(network: Network) -> NDArray[np.intp]:
    """Order the neurons so that those that are connected strongly stand together, (n_neurons,).

    Components one after the other, the largest first. Inside, up to `limits.SPECTRAL_ORDER` neurons, by the second eigenvector
    of |W| + |W|' scaled by the neurons' strengths, in which clusters are plateaus (Fiedler). Beyond that, whichever of
    three orders, O(m) each, puts most weight near the diagonal: the one that is given, reverse Cuthill-McKee (sheets),
    and a random vector smoothed along the synapses (clusters).

    References
    ----------
    M. Fiedler, "Algebraic connectivity of graphs", Czech. Math. J. 23 (1973) 298-305; E. Cuthill and J. McKee,
    "Reducing the bandwidth of sparse symmetric matrices", Proc. 24th ACM National Conference (1969) 157-172.
    """
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    links = network.link_matrix
    both = sp.csr_array(abs(links) + abs(links).T).astype(np.float64)
    component = _component_of(network)
    rank = np.empty(component.max() + 1, np.intp)
    rank[np.argsort(-np.bincount(component), kind="stable")] = np.arange(rank.size)
    if network.n_neurons <= limits.SPECTRAL_ORDER:
        place = np.zeros(network.n_neurons)
        for k in range(rank.size):
            inside = np.flatnonzero(component == k)
            if inside.size > 2:
                place[inside] = _plateaus(both[inside][:, inside])
        return np.lexsort((place, rank[component]))
    by_width = np.empty(network.n_neurons)
    by_width[reverse_cuthill_mckee(both, symmetric_mode=True)] = np.arange(network.n_neurons)
    orders = [
        np.lexsort((place, rank[component])) for place in (np.arange(network.n_neurons), by_width, _smoothed(both))
    ]
    return max(orders, key=lambda order: _near_diagonal(both, order))


def _plateaus(weights: sp.csr_array) -> NDArray[np.float64]:
    """Return the second eigenvector of D^-1/2 |W| D^-1/2, over D^1/2, of a connected network."""
    import scipy.linalg
    import scipy.sparse.linalg as sla

    n = weights.shape[0]
    root = np.sqrt(weights.sum(axis=1))
    scale = sp.diags_array(1 / root)
    scaled = sp.csr_array(scale @ weights @ scale)
    if n <= limits.ORDER:
        _, vectors = scipy.linalg.eigh(scaled.toarray(), subset_by_index=(n - 2, n - 2))
        return np.asarray(vectors[:, 0] / root)
    try:
        _, vectors = sla.eigsh(scaled, k=2, which="LA", v0=_noise(n), tol=1e-2, ncv=40, maxiter=50)
    except sla.ArpackNoConvergence:
        return _smoothed(weights)
    return np.asarray(vectors[:, 0] / root)


def _smoothed(weights: sp.csr_array) -> NDArray[np.float64]:
    """Average a random vector along the synapses, again and again, until only differences between clusters are left."""
    strength = weights.sum(axis=1)
    x = _noise(weights.shape[0])
    for _ in range(SMOOTHINGS):
        x = (x + np.divide(weights @ x, strength, out=np.zeros_like(x), where=strength > 0)) / 2
    return x


def _noise(n: int) -> NDArray[np.float64]:
    return np.random.default_rng(n).standard_normal(n)


def _near_diagonal(weights: sp.csr_array, order: NDArray[np.intp]) -> float:
    """Weight within one part in `PARTS` of the neurons from the diagonal."""
    place = np.empty(order.size, np.int32)
    place[order] = np.arange(order.size)
    coo = weights.tocoo()
    return float(coo.data[np.abs(place[coo.row] - place[coo.col]) < order.size / PARTS].sum())


def block_sums(network: Network, order: NDArray[np.intp], size: int) -> NDArray[np.float64]:
    """Sum the weights into square pixels of neurons in the order given, (pixels, pixels), rows post.

    Parameters
    ----------
    network : Network
        Its matrix is never made dense.
    order : (n_neurons,) array of int
        A permutation.
    size : int
        The most pixels along a side.
    """
    n = network.n_neurons
    size = min(size, n)
    pixel = np.empty(n, np.intp)
    pixel[order] = np.arange(n) * size // n
    post, pre, weight = network.links
    sums = (
        np.bincount(pixel[post] * size + pixel[pre], weight, minlength=size**2).astype(np.float64).reshape(size, size)
    )
    return sums + sums.T if network.symmetric else sums


def typical_largest(sums: NDArray[np.float64]) -> float:
    """Size that only one pixel in twenty exceeds, of those that are not empty; zero where all are."""
    sizes = np.abs(sums[sums != 0])
    return float(np.quantile(sizes, 0.95)) if sizes.size else 0.0
