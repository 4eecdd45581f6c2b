"""Messy text to a table of strings: compression, separator, headers behind a comment mark, ragged rows.

All of it is in memory; what parses at once is read by `noiseprune.sources.files.scanning` instead.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from noiseprune.errors import BadFile
from noiseprune.network.column_names import column_role

SEPARATORS = ("\t", ",", ";")
# a whole line of `#` or `%` alone or before a blank, since `#1` may be a name; its line end stays, and so do line numbers
COMMENT = re.compile(rb"(?m)^[ \t]*[#%](?:[ \t][^\n]*)?\r?$")
# blank lines, comments, and the line by which spreadsheets name their separator
BEFORE_A_TABLE = re.compile(rb"(?:(?:[ \t,;]*|[ \t]*[#%](?:[ \t][^\n]*)?|sep=.)\r?\n)*")
MARKED = re.compile(rb"(?m)^[ \t]*[#%]([^\n]*)$")
MARKED_LINES = re.compile(rb"(?:[ \t]*(?:[#%][^\n]*)?\r?\n)*")
DECIMAL_COMMAS = re.compile(r"(?:[^,]|(?<=\d),(?=\d))*")
TITLES = 5  # lines that may stand above a header


@dataclass(frozen=True)
class Cells:
    """A table of strings, one row a line; cells are stripped of blanks, and None where empty.

    Attributes
    ----------
    cells : DataFrame
        Columns "0", "1", ...; blank lines are gone.
    lines : Series
        The line number of each row in the file.
    title : str
        What stood above the table and is no comment.
    """

    cells: pl.DataFrame
    lines: pl.Series
    title: str = ""


def parse(data: bytes, path: Path, *, decimal_comma: bool = False) -> Cells:
    """Split text into cells: comma, tab, semicolon or blanks, whichever the first line has.

    Parameters
    ----------
    data : bytes
        The text.
    path : Path
        The file, for the messages.
    decimal_comma : bool
        Whether numbers have a comma in place of a point.

    Raises
    ------
    BadFile
        Where the text is empty, UTF-16, or has rows of unequal length.
    """
    data, first_line, title = beginning(data, path)
    if b"#" in data or b"%" in data:
        data = _without_marked(COMMENT.sub(b"", data), decimal_comma=decimal_comma)
    data, separator = _separated(data, decimal_comma=decimal_comma)
    table = _split(data, separator, path, first_line)
    width = table.width
    table = table.with_row_index("line", offset=first_line)
    table = table.filter(~pl.all_horizontal(pl.exclude("line").is_null()))
    cells = table.drop("line").select(pl.all().str.strip_chars())
    cells = cells.with_columns(pl.when(pl.all() != "").then(pl.all()))
    if width > 1 and cells[cells.columns[-1]].null_count():
        _check_ragged(data, separator, path, first_line)
    return Cells(cells, table["line"], title)


def beginning(data: bytes, path: Path) -> tuple[bytes, int, str]:
    """Drop what may stand before the first line of a table; return that line's number too, and what was no comment.

    Raises
    ------
    BadFile
        Where it is UTF-16, or empty but for comments.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadFile(f"{path}: is UTF-16 text; save it as UTF-8")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")  # line ends of the old Macintosh
    skipped = BEFORE_A_TABLE.match(data)
    start, title = _first_row(data, skipped.end() if skipped else 0)
    if not COMMENT.sub(b"", data[start : start + (1 << 16)]).strip():
        raise BadFile(f"{path}: is empty but for comments; an edge list or a square matrix was expected")
    return data[start:], data[:start].count(b"\n") + 1, title


def _first_row(data: bytes, start: int) -> tuple[int, str]:
    """Find where a table begins: at a header behind a mark, as NumPy writes it, below comments, or below a title."""
    first = _line(data, start)
    while MARKED.match(first):  # and no blank: a header, a name, or a comment
        if _names_both_ends(_cells(first.lstrip()[1:])):
            return start + first.index(first.lstrip()[:1]) + 1, ""
        below = MARKED_LINES.match(data, start).end()  # type: ignore[union-attr]
        if _names_both_ends(_cells(_line(data, below))):
            return below, ""
        if not _is_comment(first, _line(data, below)):
            return start, ""
        start = _next(data, start)
        first = _line(data, start)
    if _is_header(data, start):
        return start, ""
    for comment in MARKED.finditer(data, 0, start):
        names = _cells(comment[1])
        # prose may say "from" and "to"; a header has as many words as the data have columns
        if _names_both_ends(names) and len(names) == len(_cells(first)):
            return comment.start(1), ""
    return _below_a_title(data, start)


def _below_a_title(data: bytes, start: int) -> tuple[int, str]:
    """Skip lines above a header, or one line without separators above several with as many each."""
    below = start
    for _ in range(TITLES):
        below = _next(data, below)
        if _is_header(data, below):
            return below, _shown(data[start:below])
    rows = [_line(data, start)]
    below = start
    for _ in range(3):
        below = _next(data, below)
        rows += [line for line in [_line(data, below)] if line.strip()]
    marks = [separator_of(row) for row in rows]
    shapes = {(mark, len(_cells(row))) for mark, row in zip(marks[1:], rows[1:], strict=True)}
    if len(rows) > 2 and marks[0] is None and marks[1] and len(shapes) == 1:
        return _next(data, start), _shown(rows[0])
    return start, ""


def _shown(title: bytes) -> str:
    return " ".join(title.decode("utf-8", "replace").split())[:60]


def _next(data: bytes, start: int) -> int:
    """Return where the next line begins that is not blank and no comment."""
    end = data.find(b"\n", start)
    if end < 0:
        return len(data)
    return BEFORE_A_TABLE.match(data, end + 1).end()  # type: ignore[union-attr]


def _is_header(data: bytes, start: int) -> bool:
    """Whether a line names both ends, and as many columns as the next line has."""
    names = _cells(_line(data, start))
    if not _names_both_ends(names):
        return False
    below = _line(data, _next(data, start))
    return not below.strip() or len(_cells(below)) - len(names) in (0, 1)  # R does not name the column of row names


def _is_comment(marked: bytes, row: bytes) -> bool:
    """Whether a line behind a mark without a blank is no row of the table that another line belongs to."""
    if not row.strip():
        return False
    separator = separator_of(row)
    cells, others = (fields(x, separator) if separator else _split_blanks(x) for x in (marked, row))
    if len(cells) != len(others):
        return True
    marks = sum(cell.strip()[:1] in ("#", "%") for cell in cells)
    numbers = [[_is_number(cell) for cell in line[1:]] for line in (cells, others)]
    return separator is None and marks == 1 and numbers[0] != numbers[1]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _without_marked(data: bytes, *, decimal_comma: bool) -> bytes:
    """Drop lines behind a mark that have other columns than the first line has."""
    first = _line(data, 0)
    separator = separator_of(first, decimal_comma=decimal_comma)
    width = len(fields(first, separator) if separator else _split_blanks(first))

    def kept(marked: re.Match[bytes]) -> bytes:
        cells = fields(marked[0], separator) if separator else _split_blanks(marked[0])
        return marked[0] if len(cells) in (width, width + 1) else b""

    return MARKED.sub(kept, data)


def _split_blanks(line: bytes) -> list[str]:
    """Split a line at blanks outside of quotes."""
    return re.sub(rb'"[^"]*"', b"x", line).decode("utf-8", "replace").split()


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
    if ";" in bare and DECIMAL_COMMAS.fullmatch(bare):
        return ";"
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
