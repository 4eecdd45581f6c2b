"""Outputs appear whole or not at all, and never in place of another file unless asked."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from noiseprune.errors import BadFile


def check_output(path: str | os.PathLike[str], *, overwrite: bool) -> Path:
    """Raise `BadFile` where `path` could not be written; cheap enough to be asked before the work starts."""
    path = Path(path)
    try:
        there = path.exists() or path.is_symlink()
    except OSError as error:
        raise BadFile(f"{path}: cannot be written: {error.strerror}") from None
    if path.is_dir():
        raise BadFile(f"{path}: is a folder; name a file in it")
    if there and not overwrite:
        raise BadFile(f"{path}: exists already; choose another name, or overwrite it with --overwrite (overwrite=True)")
    if not path.parent.is_dir():
        raise BadFile(f"{path}: the folder {path.parent} does not exist; make it first")
    if not os.access(path.parent, os.W_OK):
        raise BadFile(f"{path}: the folder {path.parent} cannot be written to; choose another")
    return path


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], *, overwrite: bool) -> Iterator[Path]:
    """Give the name of a temporary file beside `path`; rename it to `path` when the block ends well."""
    path = check_output(path, overwrite=overwrite)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        os.close(handle)
    except OSError as error:
        raise BadFile(f"{path}: cannot be written: {error.strerror}") from None
    temporary = Path(name)
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        raise BadFile(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        temporary.unlink(missing_ok=True)
