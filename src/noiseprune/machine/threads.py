"""Limit the threads of BLAS and of our own kernels, also where several threads ask for it at once."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

from noiseprune.errors import InvalidOption

# OpenBLAS with threads of its own has one number of them for the whole process: the least that a block of any thread asks for
# holds for all, and the numbers from before come back when the last block has ended. Other libraries count for each thread.
_lock = threading.Lock()
_asked: list[int] = []
_shared: dict[str, tuple[Any, int]] = {}  # file -> the library, and its number of threads before

_kernels = threading.local()  # `most`: numba's limit is each thread's own, and so is ours

if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


@contextlib.contextmanager
def limit_threads(threads: int | None) -> Iterator[None]:
    """Run a block with at most so many threads; None leaves them as they are.

    Raises
    ------
    InvalidOption
        Where `threads` is no whole number, 1 or more.
    """
    if threads is None:
        yield
        return
    if not isinstance(threads, int) or threads < 1:
        raise InvalidOption(f"threads must be a whole number, 1 or more; got {threads!r}")
    before = getattr(_kernels, "most", None)
    _kernels.most = threads
    try:
        with _libraries_limited(threads, "blas", "openmp"):
            limit_kernels()
            yield
    finally:
        _kernels.most = before
        limit_kernels()


def limit_kernels() -> None:
    """Tell numba how many threads were asked for; nothing where it is not loaded, and small networks never load it."""
    if "numba" in sys.modules:
        numba = sys.modules["numba"]
        most = numba.config.NUMBA_NUM_THREADS
        numba.set_num_threads(min(getattr(_kernels, "most", None) or most, most))


def blas_alone() -> contextlib.AbstractContextManager[None]:
    """Run a block of our own kernels with BLAS on one thread.

    BLAS has little to do there, and its idle threads would spin on the cores that the kernels need. With one thread
    its sums do not depend on how many there are either.
    """
    return _libraries_limited(1, "blas")


@contextlib.contextmanager
def _libraries_limited(threads: int, *kinds: str) -> Iterator[None]:
    from threadpoolctl import ThreadpoolController

    found = ThreadpoolController().select(user_api=list(kinds))
    shared = [x for x in found.lib_controllers if x.internal_api == "openblas" and x.threading_layer != "openmp"]
    own = [library.filepath for library in found.lib_controllers if library not in shared]
    with _lock:
        for library in shared:
            _shared.setdefault(library.filepath, (library, library.num_threads))
        _asked.append(threads)
        _limit_shared()
    try:
        with found.select(filepath=own).limit(limits=threads):
            yield
    finally:
        with _lock:
            _asked.remove(threads)
            _limit_shared()
            if not _asked:
                _shared.clear()


def _limit_shared() -> None:
    for library, before in _shared.values():
        # threadpoolctl (3.8) lets one thread at a time have its way with OpenBLAS; ours have agreed
        release = getattr(library, "clear_controlling_thread", lambda **_: None)
        release(force=True)
        library.set_num_threads(min(_asked, default=before))
        release(force=True)


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
