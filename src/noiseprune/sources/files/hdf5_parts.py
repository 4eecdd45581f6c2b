"""What all readers and writers of HDF5 share."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from noiseprune.errors import BadFile
from noiseprune.machine.memory import require_memory
from noiseprune.network import Network
from noiseprune.sources.files import metadata as meta
from noiseprune.sources.files.extras import require

DEFLATE_LIMIT = 1032  # to one: the most that HDF5's compression (deflate) can do


def record_in(file: Any) -> str | None:
    """Return the record that noiseprune wrote into an HDF5 file, where it did."""
    return bytes(file[meta.RECORD][()]).decode("utf-8") if meta.RECORD in file else None


def dense(dataset: Any, path: Path) -> Any:
    """Read a dense matrix that fits into memory."""
    require_memory(
        8.0 * dataset.size, f"the matrix of {' x '.join(map(str, dataset.shape))} in {path}", "store it sparse"
    )
    return values(dataset, path)


def values(dataset: Any, path: Path) -> Any:
    """Read a dataset."""
    check_declared(dataset, path)
    return dataset[()]


def check_declared(dataset: Any, path: Path) -> None:
    """Refuse a dataset that declares more than a file of this size can hold.

    Raises
    ------
    BadFile
        Where it does: the file is damaged.
    """
    declared = dataset.size * dataset.dtype.itemsize
    if dataset.dtype.kind == "O":  # texts, whose lengths stand before the addresses of their letters
        declared = max(declared, _longest_text(dataset, path))
    if declared > DEFLATE_LIMIT * path.stat().st_size:
        raise BadFile(
            f"{path}: {dataset.name} declares {declared} bytes, which a file of this size cannot hold: it is damaged"
        )


def _longest_text(dataset: Any, path: Path) -> int:
    """Return the length that a dataset of texts declares for the longest; 0 where it is not stored in one piece."""
    start = dataset.id.get_offset()
    if start is None:
        return 0
    with path.open("rb") as file:
        file.seek(start)
        stored = np.frombuffer(file.read(dataset.id.get_storage_size() // 16 * 16), "<u4")
    return int(stored[::4].max(initial=0))


def write_rest(file: Any, network: Network) -> None:
    """Write leak and noise for everyone, and the record for ourselves."""
    file["leak"], file["noise_std"] = network.leak, network.noise_std
    file[meta.RECORD] = np.bytes_(meta.dumps(meta.describe(network)).encode("utf-8"))


@contextlib.contextmanager
def new_file(path: Path, what: str) -> Iterator[Any]:
    """Give a new HDF5 file, which is made in memory: where a disk is full, HDF5 ends the process."""
    h5py = require("h5py", "hdf5", what)
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        yield file
    path.write_bytes(memory.getbuffer())
