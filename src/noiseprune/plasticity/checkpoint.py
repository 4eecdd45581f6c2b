"""The state of a run in one file, from which it goes on bit by bit; and Ctrl-C, kept waiting until there is a state."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from noiseprune.errors import BadFile
from noiseprune.machine.output import check_output, replacing
from noiseprune.plasticity.process import Process
from noiseprune.sources.files.matrices import naming_damage
from noiseprune.sources.files.metadata import from_json

SCHEMA_VERSION = 1
EVERY = 60.0  # seconds of work between two saves

Records = list[dict[str, Any]]


class Checkpoint:
    """A file that holds the state of one run.

    Parameters
    ----------
    path : path or None
        An ``.npz`` file, made where it does not exist; None keeps nothing.
    task : dict
        What makes this run this one, fit for JSON: network, seed, settings, schedule.

    Raises
    ------
    BadFile
        Where the file cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str] | None, task: dict[str, Any]) -> None:
        self.path = None if path is None else Path(path)
        self._task = json.loads(json.dumps(task))
        self._saved = time.monotonic()
        if self.path is not None:
            if self.path.suffix != ".npz":
                raise BadFile(f"{path}: a checkpoint is an .npz file; name it so")
            check_output(self.path, overwrite=True)

    def resume(self, process: Process) -> Records:
        """Bring a process to where the file left it; return the records so far, none where there is no file.

        Raises
        ------
        BadFile
            Where the file is damaged or of another run; says what differs.
        """
        if self.path is None or not self.path.exists():
            return []
        with naming_damage(self.path, "checkpoint of a run"), np.load(self.path, allow_pickle=False) as file:
            if "noiseprune_checkpoint" not in file:
                raise BadFile(f"{self.path}: is no checkpoint of a run; name another file")
            record = from_json(str(file["noiseprune_checkpoint"]))
            other = dict(_differences(record["task"], self._task))
            if other:
                what = "; ".join(f"{name} is {there} there and {here} here" for name, (there, here) in other.items())
                raise BadFile(f"{self.path}: is the checkpoint of another run ({what}); name another file")
            process.restore({name: file[name] for name in process.arrays}, record["counters"])
        return list(record["records"])

    def save(self, process: Process, records: Records, *, now: bool = True) -> None:
        """Write the state; where it need not be `now`, only once a minute.

        Parameters
        ----------
        process : Process
            Whose state is written.
        records : list of dict
            What was recorded so far.
        now : bool
            Whether it cannot wait.

        Raises
        ------
        BadFile
            Where the file cannot be written.
        """
        if self.path is None or not (now or time.monotonic() - self._saved > EVERY):
            return
        record = {"task": self._task, "counters": process.counters, "records": records}
        with replacing(self.path, overwrite=True) as temporary, temporary.open("wb") as file:
            text = np.array(json.dumps(record, allow_nan=False))
            arrays: dict[str, Any] = {**process.arrays, "noiseprune_checkpoint": text}
            np.savez(file, **arrays)
        self._saved = time.monotonic()


def _differences(there: Any, here: Any, name: str = "") -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Name what two tasks have different values for."""
    if isinstance(there, dict) and isinstance(here, dict):
        for key in sorted({*there, *here}):
            yield from _differences(there.get(key), here.get(key), f"{name} {key}".strip())
    elif there != here:
        yield name, (there, here)


@contextlib.contextmanager
def interrupts_held() -> Iterator[Callable[[], bool]]:
    """Hold Ctrl-C back, so that no move is cut in half; give a function that says whether it came. A second one goes through.

    Only in the main thread, the one that Python interrupts.
    """
    came = False

    def note(number: int, frame: Any) -> None:  # noqa: ARG001
        nonlocal came
        if came:
            raise KeyboardInterrupt
        came = True

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield lambda: came
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)  # None: a handler that is not Python's
