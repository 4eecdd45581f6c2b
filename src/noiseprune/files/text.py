"""Text to a table of strings: compression, separator, ragged rows. What the columns mean is not known here."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from noiseprune.errors import BadFile
from noiseprune.linalg.memory import available_bytes, gigabytes

SEPARATORS = ("\t", ",", ";")
CHUNK = 1 << 24
BYTES_PER_BYTE = 6  # of memory for a byte of text while it is parsed: the text, strings, numbers


@dataclass(frozen=True)
class Table:
    """A table of strings, one row a line; cells are stripped of blanks and quotes, and None where empty.

    Attributes
    ----------
    cells : DataFrame
        Columns "0", "1", ...; blank lines are gone.
    lines : Series
        The line number of each row in the file.
    """

    cells: pl.DataFrame
    lines: pl.Series


def read_bytes(path: Path) -> bytes:
    """Read a file, decompressed where it is gzip; refuse what would not fit into memory."""
    if not path.exists():
        raise BadFile(f"{path}: no such file; check the name and the folder")
    if path.is_dir():
        raise BadFile(f"{path}: is a folder; name a file in it")
    limit = available_bytes() // BYTES_PER_BYTE
    try:
        with path.open("rb") as raw:
            compressed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            stream = gzip.GzipFile(fileobj=raw) if compressed else raw
            chunks, size = [], 0
            while chunk := stream.read(CHUNK):
                chunks.append(chunk)
                size += len(chunk)
                if size > limit:
                    raise BadFile(
                        f"{path}: holds more than {gigabytes(limit)} of text{' when decompressed' if compressed else ''}, "
                        f"which does not fit into the {gigabytes(limit * BYTES_PER_BYTE)} of memory available"
                    )
    except (OSError, EOFError, zlib.error) as error:
        raise BadFile(f"{path}: cannot be read: {error}") from None
    data = b"".join(chunks)
    if not data.strip():
        raise BadFile(f"{path}: is empty; an edge list or a square matrix was expected")
    return data


def parse(data: bytes, path: Path) -> Table:
    """Split text into cells: comma, tab, semicolon or blanks, whichever the first line has."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadFile(f"{path}: is UTF-16 text; save it as UTF-8")
    data = data.removeprefix(b"\xef\xbb\xbf")
    skipped = re.match(rb"(?:[ \t]*(?:#[^\n]*)?\r?\n)*", data)
    start = skipped.end() if skipped else 0
    first_line = data[:start].count(b"\n") + 1
    data = data[start:]
    first = data.split(b"\n", 1)[0].decode("utf-8", "replace")
    bare = re.sub(r'"[^"]*"', "", first)
    separator = max(SEPARATORS, key=bare.count)
    if separator not in bare:
        if not re.search(r"\S\s+\S", bare):
            raise BadFile(
                f"{path}: line {first_line} has a single column ({first.strip()[:40]!r}); columns separated by comma, tab, "
                "semicolon or blanks were expected"
            )
        separator = "\t"
        data = re.sub(rb"(?m)^[ \t]+|[ \t\r]+$", b"", data)
        data = re.sub(rb"[ \t]+", b"\t", data)
    table = _split(data, separator, path, first_line)
    width = table.width
    table = table.with_row_index("line", offset=first_line)
    table = table.filter(~pl.all_horizontal(pl.exclude("line").is_null()))
    cells = table.drop("line").select(pl.all().str.strip_chars().str.strip_chars('"').str.strip_chars())
    cells = cells.with_columns(pl.when(pl.all() != "").then(pl.all()))
    if width > 1 and cells[cells.columns[-1]].null_count():
        _check_ragged(data, separator, path, first_line)
    return Table(cells, table["line"])


def _split(data: bytes, separator: str, path: Path, first_line: int) -> pl.DataFrame:
    try:
        table = pl.read_csv(
            io.BytesIO(data), has_header=False, infer_schema=False, separator=separator, comment_prefix="#"
        )
    except pl.exceptions.PolarsError as error:
        _check_ragged(data, separator, path, first_line)
        reason = str(error).splitlines()[0]
        hint = ": save it as UTF-8" if "utf-8" in reason else ": check its quotes"
        raise BadFile(f"{path}: cannot be read as a table ({reason}){hint}") from None
    table.columns = [str(k) for k in range(table.width)]
    return table


def _check_ragged(data: bytes, separator: str, path: Path, first_line: int) -> None:
    """Name the first line with another number of columns than the first line has."""
    reader = csv.reader(io.StringIO(data.decode("utf-8", "replace")), delimiter=separator)
    expected = None
    try:
        for row in reader:
            if not row or row[0].startswith("#"):
                continue
            expected = expected or len(row)
            if len(row) != expected:
                raise BadFile(
                    f"{path}: line {reader.line_num + first_line - 1} has {len(row)} columns where line {first_line} has "
                    f"{expected}; mend that line (a separator inside a name needs quotes)"
                )
    except csv.Error as error:
        raise BadFile(f"{path}: line {reader.line_num + first_line - 1}: {error}") from None
