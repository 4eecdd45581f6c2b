"""Outputs appear whole or not at all, and never in place of another file unless asked."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
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
    folder = _target(path).parent
    if not folder.is_dir():
        raise BadFile(f"{path}: the folder {folder} does not exist; make it first")
    if not os.access(folder, os.W_OK):
        raise BadFile(f"{path}: the folder {folder} cannot be written to; choose another")
    return path


def _target(path: Path) -> Path:
    """Follow a link, which stays."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], *, overwrite: bool) -> Iterator[Path]:
    """Give the name of a temporary file beside `path`; rename it to `path` when the block ends well."""
    path = _target(check_output(path, overwrite=overwrite))
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else None
        temporary.touch(0o666 if mode is None else mode | stat.S_IRUSR | stat.S_IWUSR, exist_ok=False)
    except OSError as error:
        raise BadFile(f"{path}: cannot be written: {error.strerror}") from None
    try:
        yield temporary
        if mode is not None:
            temporary.chmod(mode)
        os.replace(temporary, path)
    except OSError as error:
        raise BadFile(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        temporary.unlink(missing_ok=True)
