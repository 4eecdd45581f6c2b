"""How fast this machine is at what takes the time, measured in a moment, so that a long run can be foretold."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np

BLOCK_BYTES = 128  # of one neuron's values in a block of vectors: two cache lines, which processors fetch together


class Cost(NamedTuple):
    """An estimate: bytes of memory beside the network, and seconds."""

    memory: float
    seconds: float


def seconds_an_operation() -> float:
    """Time of one addition or multiplication in a dense matrix product."""
    n = 1000
    matrix = np.ones((n, n))
    matrix @ matrix  # the first product starts BLAS
    start = time.perf_counter()
    matrix @ matrix
    return (time.perf_counter() - start) / (2.0 * n**3)
