"""Limit the threads of BLAS and of our own kernels."""

from __future__ import annotations

import contextlib
import sys
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

    global _kernel_threads
    before = _kernel_threads
    _kernel_threads = threads
    try:
        with threadpool_limits(limits=threads):
            limit_kernels()
            yield
    finally:
        _kernel_threads = before
        limit_kernels()


_kernel_threads: int | None = None


def limit_kernels() -> None:
    """Tell numba how many threads were asked for; nothing where it is not loaded, and small networks never load it."""
    if "numba" in sys.modules:
        numba = sys.modules["numba"]
        most = numba.config.NUMBA_NUM_THREADS
        numba.set_num_threads(min(_kernel_threads or most, most))


@contextlib.contextmanager
def blas_alone() -> Iterator[None]:
    """Run a block of our own kernels with BLAS on one thread.

    BLAS has little to do there, and its idle threads would spin on the cores that the kernels need. With one thread
    its sums do not depend on how many there are either.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield


# Numbers along a side of a matrix up to which two threads of BLAS, on a machine that has other work, mostly wait for each other.
FEW = 1024


def row_by_row(size: int) -> contextlib.AbstractContextManager[None]:
    """Run many steps of dense algebra, none larger than `size`, with BLAS on one thread where they are small."""
    return blas_alone() if size <= FEW else contextlib.nullcontext()


@contextlib.contextmanager
def kernels_alone() -> Iterator[None]:
    """Run a block of our own kernels on one thread: for work so short that threads would mostly wait for each other."""
    import numba

    numba.set_num_threads(1)
    try:
        yield
    finally:
        limit_kernels()
