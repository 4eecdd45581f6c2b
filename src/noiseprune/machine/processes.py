"""Processes: what a forked one has to do without, and work that is done in fresh ones.

A fork copies a process with one of its threads. Libraries with a pool of threads find it gone in the child, and wait for it for
ever (polars) or end the process (numba over GNU's OpenMP). There our kernels run on one thread, and files are read and
written in a fresh interpreter. Linux forks by default up to Python 3.13.
"""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from noiseprune.errors import InvalidOption, TooLarge

Task = TypeVar("Task")
Result = TypeVar("Result")

left_behind: set[str] = set()  # libraries whose threads stayed in the process that this one was forked from


def _note_what_is_left_behind() -> None:
    if "polars" in sys.modules:
        left_behind.add("polars")
    with contextlib.suppress(KeyError, ValueError, AttributeError):  # not loaded, not started, half loaded
        sys.modules["numba"].threading_layer()
        left_behind.add("numba")


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_note_what_is_left_behind)

# What the libraries print must not run into the answer: it gets the standard output for itself.
PROGRAM = """
import os, pickle, sys
with os.fdopen(os.dup(1), "wb") as answer:
    os.dup2(2, 1)
    sys.path[:] = pickle.load(sys.stdin.buffer)
    from noiseprune.machine.processes import _answer
    pickle.dump(_answer(*pickle.load(sys.stdin.buffer)), answer)
"""


def with_polars(function: Callable[..., Result]) -> Callable[..., Result]:
    """Return a function of ours that uses polars, to be called where polars can run: here, or in a fresh interpreter."""
    return _Elsewhere(function) if "polars" in left_behind else function


class _Elsewhere:
    """A function of a module, called in a fresh interpreter; arguments, result, warnings and error cross over as pickles."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *given: Any) -> Any:
        import pickle
        import subprocess

        sent = pickle.dumps(sys.path) + pickle.dumps((self.function, given), protocol=pickle.HIGHEST_PROTOCOL)
        done = subprocess.run([sys.executable, "-c", PROGRAM], input=sent, capture_output=True, check=False)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            raise InvalidOption(
                f"tables are read and written by polars, {NOT_HERE}, and a fresh one ended with status {done.returncode} "
                f"({' '.join(said)}): {ADVICE}"
            )
        result, error, warned = pickle.loads(done.stdout)
        for message, category in warned:
            warnings.warn(message, category, stacklevel=4)
        if error is not None:
            raise error
        return result


NOT_HERE = "which cannot run in this process: it was forked from one that had loaded polars"
ADVICE = 'start processes with multiprocessing.get_context("spawn") or "forkserver"'


def refuse_frames() -> None:
    """Refuse frames where polars cannot run.

    Raises
    ------
    InvalidOption
        In a process forked from one that had loaded polars.
    """
    if "polars" in left_behind:
        raise InvalidOption(f"frames are read by polars, {NOT_HERE}: {ADVICE}, or give what noiseprune.Network takes")


def _answer(function: Callable[..., Any], given: tuple[Any, ...]) -> tuple[Any, Exception | None, list[Any]]:
    """Call a function; return its result, its error and its warnings."""
    result, error = None, None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = function(*given)
        except Exception as raised:
            error = raised
    return result, error, [(str(warning.message), warning.category) for warning in caught]


# --- workers ----------------------------------------------------------------------------------------------------------

GUARD = 'put its work under `if __name__ == "__main__":` (the main guard), or give workers=1'


def in_workers(
    workers: int,
    work: Callable[[Task], Result],
    tasks: Sequence[Task],
    start: Callable[..., None],
    given: tuple[Any, ...],
) -> Iterator[Result]:
    """Work on tasks in processes of their own, in order.

    They are spawned, not forked, since numerical libraries have threads of their own; and they end with this process, however
    it ends, and at once where it is interrupted.

    Parameters
    ----------
    workers : int
        Processes.
    work : function of one task
    tasks : sequence
    start : function
        Called once in each process, with `given`.
    given : tuple

    Raises
    ------
    InvalidOption
        Where processes cannot be started from here.
    TooLarge
        Where one was ended from outside.
    """
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    _check_main()
    context = multiprocessing.get_context("spawn")
    started = context.Event()
    watched, held = context.Pipe(duplex=False)
    with watched, held, ProcessPoolExecutor(workers, context, _begin, (watched, started, start, given)) as pool:
        try:
            with _interrupts_kept():  # Ctrl-C reaches all processes of a terminal; this one sees to the others
                results = [pool.submit(work, task) for task in tasks]
            for result in results:
                yield result.result()
        except BrokenProcessPool:
            if started.is_set():
                raise TooLarge(
                    "a worker process was ended from outside, most often because memory ran out: give fewer workers"
                ) from None
            raise InvalidOption(f"workers={workers}: the processes could not import this script: {GUARD}") from None
        except BaseException:
            held.close()
            raise


def _check_main() -> None:
    """Refuse where a spawned process would fail to import the main module, or is doing so now."""
    import multiprocessing

    process = multiprocessing.current_process()
    if getattr(process, "_inheriting", False):  # this is a worker, on its way through a script without a guard
        raise SystemExit(1)  # without a word: the process that started it explains
    if process.daemon:
        raise InvalidOption("workers: a process of a multiprocessing.Pool may not start others: give workers=1")
    main = sys.modules.get("__main__")
    path = getattr(main, "__file__", None)
    if path is not None and getattr(main, "__spec__", None) is None and not os.path.isfile(path):  # noqa: PTH113
        raise InvalidOption(f"workers: a program read from {path} cannot start others: save it as a file and {GUARD}")


@contextlib.contextmanager
def _interrupts_kept() -> Iterator[None]:
    """Block Ctrl-C, also for the processes started here; one that comes meanwhile is seen at the end."""
    import signal

    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin(watched: Any, started: Any, start: Callable[..., None], given: tuple[Any, ...]) -> None:
    """Begin as a worker: end as soon as the process that holds the other end of a pipe lets it go, or is gone."""
    import threading

    def watch() -> None:
        with contextlib.suppress(EOFError, OSError):
            watched.recv()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    started.set()
    start(*given)
