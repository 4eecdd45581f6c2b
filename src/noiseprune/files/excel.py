"""Spreadsheets of Excel: a sheet is read as the text that it would be saved as."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from noiseprune.errors import BadFile
from noiseprune.files.extras import required
from noiseprune.files.matrices import understood
from noiseprune.files.options import Found, ReadOptions
from noiseprune.files.text_files import read_with_care


def read_excel(path: Path, options: ReadOptions) -> Found:
    """Read an edge list or a square matrix from one sheet."""
    fastexcel = required("fastexcel", "excel", "a spreadsheet of Excel")
    with understood(path, "spreadsheet"):
        sheet = _chosen(fastexcel.read_excel(path).sheet_names, options.sheet, path)
        cells = pl.read_excel(
            path,
            sheet_name=sheet,
            engine="calamine",
            has_header=False,
            infer_schema_length=0,  # text, as it is shown
            drop_empty_rows=False,  # so that a row keeps its number
            read_options={"header_row": None, "skip_rows": 0},
            raise_if_empty=False,
        )
    if cells.is_empty():
        raise BadFile(f"{path}: the sheet {sheet!r} is empty: choose another with --sheet")
    one_line = cells.with_columns(pl.all().str.replace_all(r"\s+", " "))
    data = one_line.write_csv(include_header=False, separator="\t").encode()
    found = read_with_care(data, path, options)
    found.counts["sheet"] = sheet
    return found


def _chosen(names: list[str], wanted: str | None, path: Path) -> str:
    """Choose a sheet by its name, or by its number from 1."""
    listed = ", ".join(map(repr, names))
    if wanted is None:
        if len(names) > 1:
            raise BadFile(f"{path}: has {len(names)} sheets, {listed}: choose one with --sheet")
        return names[0]
    if str(wanted) in names:
        return str(wanted)
    if str(wanted).isdecimal() and 0 < int(wanted) <= len(names):
        return names[int(wanted) - 1]
    raise BadFile(f"{path}: has no sheet {str(wanted)!r}; its sheets are {listed}")
