"""Large networks for the benchmarks, made in the memory they need and no more."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from noiseprune import Network, gallery
from noiseprune.network.links import absolute_row_sums


def grouped(neurons: int, pairs: int, *, clusters: int = 20, between: float = 1e-3, shuffled: bool = False) -> Network:
    """Positive clusters of equal size, numbered one after the other (or shuffled), in single precision.

    A share `between` of the pairs has its ends anywhere. Weights uniform on (0, 1), divided by half the mean degree;
    leak sum_j W_ij + 0.001.
    """
    random = np.random.default_rng([neurons, pairs])
    size = neurons // clusters
    rows, columns = [], []
    for cluster in range(clusters):
        a, b = (random.integers(0, size, pairs // clusters, dtype=np.int32) for _ in range(2))
        rows.append(np.maximum(a, b) + np.int32(cluster * size))
        columns.append(np.minimum(a, b) + np.int32(cluster * size))
    a, b = (random.integers(0, neurons, int(between * pairs), dtype=np.int32) for _ in range(2))
    row = np.concatenate([*rows, np.maximum(a, b)])
    column = np.concatenate([*columns, np.minimum(a, b)])
    del rows, columns
    if shuffled:
        order = random.permutation(neurons).astype(np.int32)
        row, column = order[row], order[column]
        row, column = np.maximum(row, column), np.minimum(row, column)
    different = row != column
    row, column = row[different], column[different]
    weight = (1 - random.random(row.size, dtype=np.float32)) / np.float32(pairs / neurons)  # above zero
    links = sp.csr_array((weight, (row, column)), shape=(neurons, neurons))
    links.sum_duplicates()
    leak = absolute_row_sums(links, True) + 1e-3
    return Network.from_links(links, leak, np.ones(neurons), symmetric=True)


def sheet_with_shortcuts(side: int, shortcuts: int = 200, weight: float = 0.05) -> tuple[Network, np.ndarray]:
    """A sheet with a few weak long-range pairs; and which links these are."""
    net = gallery.sheet(side, side, radius=3, excess=1e-5, rng=3)
    n = net.n_neurons
    a, b = np.random.default_rng(5).integers(0, n, (2, shortcuts))
    far = sp.csr_array((np.full(shortcuts, weight), (np.maximum(a, b), np.minimum(a, b))), shape=(n, n))
    links = sp.csr_array(net.link_matrix + far)
    links.sort_indices()
    added = absolute_row_sums(far, True)
    made = Network.from_links(links, net.leak + added, net.noise_std, symmetric=True)
    post, pre, _ = made.links
    return made, np.abs(post // side - pre // side) + np.abs(post % side - pre % side) > 6
