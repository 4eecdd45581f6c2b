"""Limit the threads of BLAS and its like."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from noiseprune.errors import InvalidOption


@contextlib.contextmanager
def limited(threads: int | None) -> Iterator[None]:
    """Run a block with at most so many threads; None leaves them as they are."""
    if threads is None:
        yield
        return
    if not isinstance(threads, int) or threads < 1:
        raise InvalidOption(f"threads must be a whole number, 1 or more; got {threads!r}")
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=threads):
        yield
