"""The bytes of a file: there, not empty, decompressed, and not more than fits."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path

from noiseprune.errors import BadFile
from noiseprune.machine.memory import available_bytes, gigabytes

CHUNK = 1 << 24
BYTES_PER_BYTE = 6  # of memory for a byte of text while it is parsed: the text, strings, numbers


def check_readable(path: Path) -> None:
    """Refuse a path where there is no file, or nothing in it.

    Raises
    ------
    BadFile
        Where it is not there, a folder, empty, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise BadFile(f"{path}: is empty; a network was expected")
    except FileNotFoundError:
        raise BadFile(f"{path}: no such file; check the name and the folder") from None
    except IsADirectoryError:
        raise BadFile(f"{path}: is a folder; name a file in it") from None
    except OSError as error:
        raise BadFile(f"{path}: cannot be read: {error.strerror or error}") from None


def readable_name(path: Path) -> str:
    """Return a file's name as text that any file or terminal takes, whatever bytes it is made of."""
    return os.fsencode(path.name).decode("utf-8", "replace")


def is_utf8(path: Path) -> bool:
    """Whether the bytes of a path are UTF-8, as names of files need not be."""
    return os.fsencode(path).decode("utf-8", "ignore").encode("utf-8") == os.fsencode(path)


def in_utf8(path: Path) -> str:
    """Return a path as polars takes it, which knows no other file names than those in UTF-8.

    Raises
    ------
    BadFile
        Where the name is none.
    """
    if not is_utf8(path):
        raise BadFile(f"{readable_name(path)}: its name, or that of its folder, is not UTF-8: rename it")
    return os.fsencode(path).decode("utf-8")


def read_bytes(path: Path, bytes_per_byte: int = BYTES_PER_BYTE) -> bytes:
    """Read a file, decompressed where it is gzip; refuse what would not fit into memory.

    Parameters
    ----------
    path : Path
        The file.
    bytes_per_byte : int
        Memory that reading takes for each byte of text.

    Raises
    ------
    BadFile
        Where it cannot be read, is empty, or would not fit.
    """
    limit = available_bytes() // bytes_per_byte
    chunks, size = [], 0
    try:
        with path.open("rb") as raw:
            compressed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            stream = gzip.GzipFile(fileobj=raw) if compressed else raw
            while chunk := stream.read(CHUNK):
                chunks.append(chunk)
                size += len(chunk)
                if size > limit:
                    raise BadFile(
                        f"{path}: holds more than {gigabytes(limit)} of text{' when decompressed' if compressed else ''}, "
                        f"which does not fit into the {gigabytes(limit * bytes_per_byte)} of memory available"
                    )
    except (OSError, EOFError, zlib.error) as error:
        raise BadFile(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    data = b"".join(chunks)
    if not data.strip():
        raise BadFile(f"{path}: is empty; an edge list or a square matrix was expected")
    return data
