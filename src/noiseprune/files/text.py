"""Messy text to a table of strings: compression, separator, headers behind a comment mark, ragged rows.

All of it is in memory; what parses at once is read by `noiseprune.files.scanning` instead.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from noiseprune.errors import BadFile
from noiseprune.files.rows import column_role

SEPARATORS = ("\t", ",", ";")
# a whole line of `#` alone or before a blank, since `#1` may be a name; its line end stays, and so do line numbers
COMMENT = re.compile(rb"(?m)^[ \t]*#(?:[ \t][^\n]*)?\r?$")
# blank lines, comments, and the line by which spreadsheets name their separator
BEFORE_A_TABLE = re.compile(rb"(?:(?:[ \t]*(?:#(?:[ \t][^\n]*)?)?|sep=.)\r?\n)*")
MARKED = re.compile(rb"(?m)^[ \t]*#([^\n]*)$")
MARKED_LINES = re.compile(rb"(?:[ \t]*#[^\n]*\n)*")


@dataclass(frozen=True)
class Cells:
    """A table of strings, one row a line; cells are stripped of blanks, and None where empty.

    Attributes
    ----------
    cells : DataFrame
        Columns "0", "1", ...; blank lines are gone.
    lines : Series
        The line number of each row in the file.
    """

    cells: pl.DataFrame
    lines: pl.Series


def parse(data: bytes, path: Path, *, decimal_comma: bool = False) -> Cells:
    """Split text into cells: comma, tab, semicolon or blanks, whichever the first line has."""
    data, first_line = beginning(data, path)
    data = COMMENT.sub(b"", data) if b"#" in data else data
    data, separator = _separated(data, decimal_comma=decimal_comma)
    table = _split(data, separator, path, first_line)
    width = table.width
    table = table.with_row_index("line", offset=first_line)
    table = table.filter(~pl.all_horizontal(pl.exclude("line").is_null()))
    cells = table.drop("line").select(pl.all().str.strip_chars())
    cells = cells.with_columns(pl.when(pl.all() != "").then(pl.all()))
    if width > 1 and cells[cells.columns[-1]].null_count():
        _check_ragged(data, separator, path, first_line)
    return Cells(cells, table["line"])


def beginning(data: bytes, path: Path) -> tuple[bytes, int]:
    """Drop what may stand before the first line of a table; return that line's number too."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadFile(f"{path}: is UTF-16 text; save it as UTF-8")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")  # line ends of the old Macintosh
    skipped = BEFORE_A_TABLE.match(data)
    start = _commented_header(data, skipped.end() if skipped else 0)
    if not COMMENT.sub(b"", data[start : start + (1 << 16)]).strip():
        raise BadFile(f"{path}: is empty but for comments; an edge list or a square matrix was expected")
    return data[start:], data[:start].count(b"\n") + 1


def _commented_header(data: bytes, start: int) -> int:
    """Find a header behind a `#`, as NumPy writes it; return where it begins, `start` where there is none."""
    first = _line(data, start)
    if first.lstrip().startswith(b"#"):  # and no blank: a header, a name, or a comment above a header
        after = MARKED_LINES.match(data, start).end()  # type: ignore[union-attr]
        if _names_both_ends(_cells(first.lstrip()[1:])):
            return data.index(b"#", start) + 1
        return after if _names_both_ends(_cells(_line(data, after))) else start
    if _names_both_ends(_cells(first)):
        return start
    for comment in MARKED.finditer(data, 0, start):
        names = _cells(comment[1])
        # prose may say "from" and "to"; a header has as many words as the data have columns
        if _names_both_ends(names) and len(names) == len(_cells(first)):
            return comment.start(1)
    return start


def _line(data: bytes, start: int) -> bytes:
    end = data.find(b"\n", start)
    return data[start : None if end < 0 else end]


def _cells(line: bytes) -> list[str]:
    separator = separator_of(line)
    return fields(line, separator) if separator else line.decode("utf-8", "replace").split()


def _names_both_ends(names: list[str]) -> bool:
    return {"pre", "post"} <= {column_role(name) for name in names}


def _separated(data: bytes, *, decimal_comma: bool) -> tuple[bytes, str]:
    """Find the separator, and mend what a CSV parser does not take: runs of blanks, padded quotes, unnamed row names."""
    separator = separator_of(_line(data, 0), decimal_comma=decimal_comma)
    if separator is None:
        separator = "\t"
        data = re.sub(rb"(?m)^[ \t]+|[ \t\r]+$", b"", data)
        if b'"' in data:
            data = re.sub(rb'"[^"\n]*"|[ \t]+', lambda m: m[0] if m[0][:1] == b'"' else b"\t", data)
        else:
            data = re.sub(rb"[ \t]+", b"\t", data)
    elif b'"' in data:
        mark = re.escape(separator.encode())
        data = re.sub(rb'(?m)(^|%b)[ ]+"' % mark, rb'\1"', data)
        data = re.sub(rb'(?m)"[ ]+(?=%b|\r?$)' % mark, b'"', data)
    # R and pandas name the rows and leave that column without a name
    lines = data.rstrip().split(b"\n", 2)
    if len(lines) > 1:
        width, *below = (len(fields(line, separator)) for line in (*lines[:2], lines[-1].rsplit(b"\n", 1)[-1]))
        if below == [width + 1, width + 1]:
            data = separator.encode() + data
    return data, separator


def separator_of(line: bytes, *, decimal_comma: bool = False) -> str | None:
    """Return the mark that separates columns; None where only blanks could."""
    marks = [mark for mark in SEPARATORS if not (decimal_comma and mark == ",")]
    bare = re.sub(rb'"[^"]*"', b"x", line).decode("utf-8", "replace")
    separator = max(marks, key=bare.count)
    return separator if separator in bare else None


def fields(line: bytes, separator: str) -> list[str]:
    """Split one line; a carriage return inside it separates nothing."""
    text = line.decode("utf-8", "replace").replace("\r", "")
    return next(csv.reader([text], delimiter=separator), [])


def _split(data: bytes, separator: str, path: Path, first_line: int) -> pl.DataFrame:
    try:
        table = pl.read_csv(io.BytesIO(data), has_header=False, infer_schema=False, separator=separator)
    except pl.exceptions.PolarsError as error:
        _check_ragged(data, separator, path, first_line)
        hint = "it is not UTF-8: save it as that" if "utf-8" in str(error) else "check its quotes"
        raise BadFile(f"{path}: cannot be read as a table; {hint}") from None
    table.columns = [str(k) for k in range(table.width)]
    return table


def _check_ragged(data: bytes, separator: str, path: Path, first_line: int) -> None:
    """Name the first line with another number of columns than the first line has."""
    reader = csv.reader(io.StringIO(data.decode("utf-8", "replace")), delimiter=separator)
    expected = None
    start = 0
    try:
        for row in reader:
            line, start = start + first_line, reader.line_num
            if not row:
                continue
            expected = expected or len(row)
            if len(row) != expected:
                raise BadFile(
                    f"{path}: line {line} has {len(row)} columns where line {first_line} has {expected}; mend that line "
                    "(a separator inside a name needs quotes, and a quote its partner)"
                )
    except csv.Error as error:
        raise BadFile(f"{path}: line {reader.line_num + first_line - 1}: {error}: check its quotes") from None
