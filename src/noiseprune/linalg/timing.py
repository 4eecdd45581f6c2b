"""How long a product with a block of vectors takes on this machine."""

from __future__ import annotations

import time

import numpy as np
import scipy.sparse as sp

from noiseprune.machine.speed import BLOCK_BYTES

MEASURED = 1_000_000  # synapses that a product is timed on


def seconds_a_product(matrix: sp.csr_array, entries: int) -> float:
    """Time of a product of so many entries with a block of vectors in single precision, measured on a part of them."""
    from noiseprune.linalg.blocks import products

    part = matrix[: max(1, int(np.searchsorted(matrix.indptr, MEASURED)))].astype(np.float32)
    if not part.nnz:
        return 0.0
    product = products(part)
    x = np.ones((matrix.shape[1], BLOCK_BYTES // 4), np.float32)
    product(x)  # compiles
    start = time.perf_counter()
    product(x)
    return (time.perf_counter() - start) * entries / part.nnz
