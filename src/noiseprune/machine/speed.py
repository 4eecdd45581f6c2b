"""How fast this machine is at what takes the time, measured in a moment, so that a long run can be foretold."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

BLOCK_BYTES = 128  # of one neuron's values in a block of vectors: two cache lines, which processors fetch together
MEASURED = 1_000_000  # synapses that a product is timed on


class Cost(NamedTuple):
    """An estimate: bytes of memory beside the network, and seconds."""

    memory: float
    seconds: float


def seconds_an_operation(n: int = 1000) -> float:
    """Time of one addition or multiplication in a dense matrix product."""
    matrix = np.ones((n, n))
    matrix @ matrix  # the first product starts BLAS
    start = time.perf_counter()
    matrix @ matrix
    return (time.perf_counter() - start) / (2.0 * n**3)


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
