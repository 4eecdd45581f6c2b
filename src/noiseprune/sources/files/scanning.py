"""Tables that parse at once, read piece by piece: clean text, Parquet, Arrow."""

from __future__ import annotations

import contextlib
import mmap
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from noiseprune.errors import BadFile
from noiseprune.network.column_names import ALIASES, column_role, plain
from noiseprune.sources.files import text, trial
from noiseprune.sources.files.headers import INTEGER, columns_of, has_header, is_number
from noiseprune.sources.files.rows import SAMPLED, Table
from noiseprune.sources.files.sources import in_utf8, is_utf8, read_bytes
from noiseprune.sources.reading import ReadOptions

HEAD = 1 << 16  # bytes that tell separator, header and types
PIECE = 1 << 18  # bytes
# searches begin with one certain byte and look at the next, which is all that they do in nearly every place
PADDED = rb'(?=["\-+0])"?-?[0+]\d'  # 007 or +7 would be another id as an integer
COMMENT = rb"(?=[ \t#%])[ \t]*[#%](?:[ \t\r\n]|\Z)"
ROLES = ("pre", "post", "weight")


def scan_text(path: Path, options: ReadOptions) -> Table | None:
    """Plan to read clean text without bringing it into memory; None where it needs care.

    Whatever does not fit the plan shows as an error of polars or as an empty cell when it is read.
    """
    source, head = _opened(path)
    if options.decimal_comma or head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\n" not in head:
        return None
    table, first_line, title = text.beginning(head, path)
    separator = text.separator_of(table.split(b"\n", 1)[0])
    if separator is None:
        return None
    if b"\n" not in table:
        return None
    rows = [text.fields(line, separator) for line in table[: table.rindex(b"\n")].split(b"\n")[: SAMPLED + 1]]
    rows = [[cell.strip() for cell in row] for row in rows]
    first = rows[0]
    named = has_header(rows, options, path)
    if named is None or first[-1:][0].endswith("}"):
        return None
    says_edge_list = named or options.no_header or options.undirected
    if not says_edge_list and (len(first) > len(ROLES) or len(rows) <= len(first) + 1):
        return None  # perhaps a square matrix
    sample = rows[1:] if named else rows
    if not sample or any(len(row) != len(first) for row in sample):
        return None
    header, numbered, notes = (first, False, {}) if named else columns_of(first, options)
    if title:
        notes = {"title": title, **notes}
    begin = len(head) - len(table)
    types = _types(header, numbered, sample, options)
    if _has_odd_cells(source, separator, begin):
        if _anywhere(source, rb"\n" + COMMENT, begin):
            return None
        marks = (b"\n", re.escape(separator.encode()))
        if pl.Int64 in types.values() and any(_anywhere(source, mark + PADDED, begin) for mark in marks):
            types = dict.fromkeys(types, pl.String)
    frame = pl.scan_csv(
        in_utf8(source) if isinstance(source, Path) else source,
        has_header=False,
        separator=separator,
        skip_lines=first_line - 1 + named,
        schema=types,
        glob=False,
    )
    bare = frame.with_columns(_bare(pl.col(pl.String)))
    return Table(bare, header, typed=True, numbered=numbered, notes=notes)


def _bare(cell: pl.Expr) -> pl.Expr:
    """Strip blanks, and quotes with blanks outside, which the parser does not take for quotes."""
    bare = cell.str.strip_chars()
    padded = (bare.str.len_bytes() < cell.str.len_bytes()) & bare.str.starts_with('"') & bare.str.ends_with('"')
    return pl.when(padded).then(bare.str.strip_prefix('"').str.strip_suffix('"').str.strip_chars()).otherwise(bare)


def _opened(path: Path) -> tuple[Path | bytes, bytes]:
    """Return what polars reads, and the beginning of the text."""
    head = b""
    with contextlib.suppress(OSError), path.open("rb") as file:  # read_bytes says what is wrong
        head = file.read(HEAD)
    if head and head[:2] != b"\x1f\x8b" and is_utf8(path):
        return path, head
    data = read_bytes(path)
    return data, data[:HEAD]


def _types(header: list[str], numbered: bool, sample: list[list[str]], options: ReadOptions) -> dict[str, Any]:
    """Decide how columns are parsed: ids as integers where they are, weights as numbers, all else as it is."""
    chosen = {str(getattr(options, role)): role for role in ROLES if getattr(options, role) is not None}
    defaults = {"1": "pre", "2": "post"} if numbered else {}
    known = any(plain(name) in ALIASES["weight"] for name in header)

    def kind(k: int, name: str) -> Any:
        role = chosen.get(name) or defaults.get(name) or column_role(name)
        column = [row[k] for row in sample]
        if role == "weight":
            sure = name in chosen or plain(name) in ALIASES["weight"]
            return pl.Float64 if sure or (not known and all(map(is_number, column))) else pl.String
        return pl.Int64 if role in ROLES and all(map(INTEGER.fullmatch, column)) else pl.String

    return {str(k): kind(k, name) for k, name in enumerate(header)}


def _has_odd_cells(source: Path | bytes, separator: str, begin: int) -> bool:
    """Whether some cell begins with a byte before "1": a zero, a sign, a quote, a blank, a comment mark, or nothing.

    Most tables of integers have none, and need no slower search for what such cells could hide.
    """
    with _mapped(source) as data:
        return _odd(np.frombuffer(data, np.uint8), separator, begin)


def _odd(data: Any, separator: str, begin: int) -> bool:
    """Look piece by piece, each small enough for the processor's cache."""
    for start in range(begin, len(data) - 1, PIECE):
        piece = data[start : start + PIECE + 1]
        begins = piece[:-1] == ord("\n")
        begins |= piece[:-1] == ord(separator)
        begins &= piece[1:] < ord("1")
        if begins.any():
            return True
    return False


def _anywhere(source: Path | bytes, pattern: bytes, begin: int) -> bool:
    """Search all of a text."""
    with _mapped(source) as data:
        return re.compile(pattern).search(data, begin) is not None


@contextlib.contextmanager
def _mapped(source: Path | bytes) -> Iterator[bytes | mmap.mmap]:
    """Give the bytes of a text, without bringing a file into memory."""
    if isinstance(source, bytes):
        yield source
        return
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data


def scan_parquet(path: Path) -> Table:
    """Plan to read a Parquet file."""
    return _scanned(pl.scan_parquet, path, "Parquet file")


def scan_arrow(path: Path) -> Table:
    """Plan to read an Arrow (Feather version 2) file.

    Raises
    ------
    BadFile
        Where it is of version 1, a stream, or damaged.
    """
    with path.open("rb") as file:
        first = file.read(4)
    if first == b"FEA1":
        raise BadFile(f"{path}: is Feather of version 1; write it again with a newer pyarrow or pandas")
    if first == b"\xff\xff\xff\xff":
        raise BadFile(f"{path}: is an Arrow stream; write it as an Arrow file (Feather 2)")
    trial.survive(trial.ARROW, path, "Arrow (Feather) file")
    return _scanned(pl.scan_ipc, path, "Arrow (Feather) file")


def _scanned(scan: Any, path: Path, what: str) -> Table:
    from noiseprune.sources.files.matrices import naming_damage

    with naming_damage(path, what):
        frame = scan(in_utf8(path), glob=False)
        names = frame.collect_schema().names()
    return Table(frame.rename({name: str(k) for k, name in enumerate(names)}), names, typed=True)
