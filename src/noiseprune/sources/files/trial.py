"""Files read once in a process of their own, by libraries that a damaged file takes down or holds for ever."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from noiseprune.errors import BadFile

START, BYTES_A_SECOND = 8.0, 2e7  # seconds to start, and how fast a file is read at the least

# polars (2.1) believes the lengths in a damaged Arrow file, and aborts when there is not so much memory
ARROW = """
import os, sys
import polars as pl
pl.scan_ipc(os.fsencode(sys.argv[1]).decode(), glob=False).select(pl.all().null_count()).collect()
"""

# HDF5 (2.0) does not find its way through damaged strings of any length: it aborts, runs for ever, or takes gigabytes
HDF5 = """
import sys
import h5py
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (1 << 32, 1 << 32))
except ImportError:  # not on Windows
    pass
with h5py.File(sys.argv[1], "r") as file:
    file.visititems(lambda _, item: item[()] if isinstance(item, h5py.Dataset) and item.dtype.kind == "O" else None)
"""


def survive(program: str, path: Path, what: str) -> None:
    """Refuse a file where reading it ends a process badly, or does not end.

    Parameters
    ----------
    program : str
        `ARROW` or `HDF5`.
    path : path
        The file.
    what : str
        What it should be, for the error.

    Raises
    ------
    BadFile
        Where it does.
    """
    limit = START + path.stat().st_size / BYTES_A_SECOND
    try:
        done = subprocess.run(
            [sys.executable, "-c", program, str(path)], capture_output=True, check=False, timeout=limit
        )
        end = f"ended with status {done.returncode}" if done.returncode else ""
    except subprocess.TimeoutExpired:
        end = f"did not end in {limit:.0f} s"
    if end:
        raise BadFile(
            f"{path}: is no readable {what}: reading it {end}: check that it was copied whole, or write it again"
        )
