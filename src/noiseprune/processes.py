"""Processes: what a forked one has to do without, and work that is done in a fresh one.

A fork copies a process with one of its threads. Libraries with a pool of threads find it gone in the child, and wait for it for
ever (polars) or end the process (numba over GNU's OpenMP). There our kernels run on one thread, and files are read and
written in a fresh interpreter. Linux forks by default up to Python 3.13.
"""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from noiseprune.errors import InvalidOption

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
    from noiseprune.processes import _answer
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
