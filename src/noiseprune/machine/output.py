"""Outputs appear whole or not at all, and never in place of another file unless asked."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import re
import secrets
import stat
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from noiseprune.errors import BadFile

LONGEST_NAME = 200  # bytes of it that a temporary name takes up; file systems allow 255


def check_output(path: str | os.PathLike[str], *, overwrite: bool) -> Path:
    """Refuse a path that could not be written; cheap enough to be asked before the work starts.

    Parameters
    ----------
    path : path
        Where something will be written.
    overwrite : bool
        Whether it may replace a file that is there.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    BadFile
        Where there is a folder of this name, a file without `overwrite`, or no folder to write to.
    """
    path = Path(path)
    try:
        there = path.exists() or path.is_symlink()
    except OSError as error:
        raise BadFile(f"{path}: cannot be written: {error.strerror}") from None
    if path.is_dir():
        raise BadFile(f"{path}: is a folder; name a file in it")
    if there and not overwrite:
        raise BadFile(f"{path}: exists already; choose another name, or overwrite it with overwrite=True")
    folder = _target(path).parent
    if not folder.is_dir():
        raise BadFile(f"{path}: the folder {folder} does not exist; make it first")
    if not os.access(folder, os.W_OK):
        raise BadFile(f"{path}: the folder {folder} cannot be written to; choose another")
    return path


def _target(path: Path) -> Path:
    """Follow a link, which stays."""
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _stem(path: Path) -> str:
    """How the names of temporary files for `path` begin: with its own name, and the machine, whose process numbers follow."""
    try:
        name = path.name if len(path.name.encode("utf-8")) <= LONGEST_NAME else ""
    except UnicodeEncodeError:
        name = ""
    name = name or hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]
    return f".{name}.{zlib.crc32(platform.node().encode()):08x}."


def _remove_stale(folder: Path, stem: str) -> None:
    """Remove what processes that are gone, killed while they wrote the same file, left on this machine."""
    left = re.compile(re.escape(stem) + r"(\d+)\.[0-9a-f]{8}\.tmp(\.gz)?")
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = left.fullmatch(entry.name)
            if match and not _is_alive(int(match[1])):
                with contextlib.suppress(OSError):
                    Path(entry.path).unlink()


def _is_alive(pid: int) -> bool:
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, OverflowError):
        return False
    except psutil.AccessDenied:
        return True


def check_apart(inputs: Iterable[Path], outputs: Iterable[Path]) -> None:
    """Refuse to write a file that a command reads, or to write one twice, by whatever name or link.

    Parameters
    ----------
    inputs : iterable of Path
        What is read.
    outputs : iterable of Path
        What will be written.

    Raises
    ------
    BadFile
        Where two of these are the same file, and one of them is written.
    """
    taken = {os.path.realpath(path): f"the file {path}, which is read" for path in inputs}
    for path in outputs:
        there = os.path.realpath(path)
        same = next((said for other, said in taken.items() if there == other or _same_file(there, other)), None)
        if same:
            raise BadFile(f"{path}: is {same}, and would be lost: choose another name")
        taken[there] = f"written twice, as {path}"


def _same_file(one: str, other: str) -> bool:
    try:
        return Path(one).samefile(other)  # hard links, and file systems that do not mind letter case
    except OSError:
        return False


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], *, overwrite: bool) -> Iterator[Path]:
    """Give the name of a temporary file beside `path`; rename it to `path` when the block ends well.

    Parameters
    ----------
    path : path
        Where the file will stand at last.
    overwrite : bool
        Whether it may replace a file that is there.

    Yields
    ------
    Path
        The temporary file, empty.

    Raises
    ------
    BadFile
        Where `path` cannot be written, before the block or at its end.
    """
    path = _target(check_output(path, overwrite=overwrite))
    stem = _stem(path)
    _remove_stale(path.parent, stem)
    temporary = path.with_name(f"{stem}{os.getpid()}.{secrets.token_hex(4)}.tmp")
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
