"""How fast does this machine gather rows of a block of vectors? The limit of every product with a sparse network.

A kernel that only reads: an index and a weight of each entry, and the row that the index names, in the order of the
benchmark's own networks (numbers grouped by cluster, and shuffled). Bytes counted as entries x (8 + 4 k).
"""

from __future__ import annotations

from harness import save  # first: it pins the threads

import time

import numba
import numpy as np
from networks import grouped
from numba import njit, prange

import noiseprune

CHUNKS = 256


@njit(parallel=True, error_model="numpy")
def gather(indices, weights, x, out):
    """Add up weighted rows, a chunk of entries a thread."""
    m = indices.size
    for c in prange(CHUNKS):
        total = np.zeros(x.shape[1], x.dtype)
        for e in range(c * m // CHUNKS, (c + 1) * m // CHUNKS):
            weight, j = weights[e], indices[e]
            for v in range(x.shape[1]):
                total[v] += weight * x[j, v]
        out[c] = total


def bandwidth(net: noiseprune.Network, k: int) -> float:
    """Bytes a second, best of three."""
    csr = net.link_matrix
    x, out = np.ones((net.n_neurons, k), np.float32), np.empty((CHUNKS, k), np.float32)
    times = []
    for _ in range(4):
        start = time.perf_counter()
        gather(csr.indices, csr.data, x, out)
        times.append(time.perf_counter() - start)
    return csr.nnz * (8 + 4 * k) / min(times[1:])


def main() -> None:
    numba.set_num_threads(2)
    rows = []
    for shuffled in (False, True):
        net = grouped(1_000_000, 20_000_000, shuffled=shuffled)
        for k in (8, 16, 32):
            rows.append(
                {
                    "numbers": "shuffled" if shuffled else "grouped by cluster",
                    "columns": k,
                    "GB/s": round(bandwidth(net, k) / 1e9, 1),
                }
            )
    save("bandwidth", rows)


if __name__ == "__main__":
    main()
