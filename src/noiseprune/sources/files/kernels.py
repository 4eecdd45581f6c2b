"""Compiled loops over large tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseprune.linalg.kernels import compiled

FIRST_BITS = 16  # of the hash table; it doubles when it is half full
MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio (Fibonacci hashing)
EMPTY = -1


def number_ids(pre: NDArray[np.int64], post: NDArray[np.int64]) -> tuple[Any, Any, Any]:
    """Number ids in the order in which they first appear, row by row, pre before post.

    Parameters
    ----------
    pre, post : (m,) array of int64
        Ids.

    Returns
    -------
    ids : (n,) array of int64
        Every id once.
    pre_number, post_number : (m,) array of int32
        Their numbers.
    """
    numbers = np.empty((2, len(pre)), dtype=np.int32)
    bits, row, ids = FIRST_BITS, 0, np.empty(0, dtype=np.int64)
    while True:
        keys, value = np.empty(1 << bits, dtype=np.int64), np.full(1 << bits, EMPTY, dtype=np.int32)
        _insert(ids, keys, value, bits)
        room = np.empty(1 << (bits - 1), dtype=np.int64)
        room[: len(ids)] = ids
        row, count = _number(pre, post, row, keys, value, bits, room, len(ids), numbers[0], numbers[1])
        ids = room[:count]
        if row == len(pre):
            return ids, numbers[0], numbers[1]
        bits += 1


@compiled(parallel=False, inline=True)
def _place(keys: Any, value: Any, x: Any, bits: int) -> Any:
    """Where an id stands in the table, or would."""
    mask = (1 << bits) - 1
    at = np.int64((np.uint64(x) * MULTIPLIER) >> np.uint64(64 - bits))
    while value[at] != EMPTY and keys[at] != x:
        at = (at + 1) & mask
    return at


@compiled(parallel=False)
def _insert(ids: Any, keys: Any, value: Any, bits: int) -> None:
    for k in range(len(ids)):
        at = _place(keys, value, ids[k], bits)
        keys[at], value[at] = ids[k], k


@compiled(parallel=False)
def _number(
    pre: Any, post: Any, row: int, keys: Any, value: Any, bits: int, ids: Any, count: int, pre_out: Any, post_out: Any
) -> tuple[int, int]:
    """Go on from a row until all are numbered, or the table is half full."""
    for k in range(row, len(pre)):
        if count + 2 > len(ids):
            return k, count
        for x, out in ((pre[k], pre_out), (post[k], post_out)):
            at = _place(keys, value, x, bits)
            if value[at] == EMPTY:
                keys[at], value[at], ids[count] = x, count, x
                count += 1
            out[k] = value[at]
    return len(pre), count
