"""Spreadsheets of Excel: a sheet is read as the text that it would be saved as."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import polars as pl

from noiseprune.errors import BadFile
from noiseprune.sources.files.extras import require
from noiseprune.sources.files.found import Found
from noiseprune.sources.files.matrices import naming_damage
from noiseprune.sources.files.text_files import read_with_care
from noiseprune.sources.reading import ReadOptions


def read_excel(path: Path, options: ReadOptions) -> Found:
    """Read an edge list or a square matrix from one sheet.

    Raises
    ------
    BadFile
        Where it is no spreadsheet, or the sheet is empty or not there.
    MissingExtra
        Where fastexcel is not installed.
    """
    fastexcel = require("fastexcel", "excel", "a spreadsheet of Excel")
    with naming_damage(path, "spreadsheet"):
        sheet = _chosen(fastexcel.read_excel(path).sheet_names, options.sheet, path)
        cells, numbers = (_cells(path, sheet, kind) for kind in ("string", "float"))
    if cells.is_empty():
        raise BadFile(f"{path}: the sheet {sheet!r} is empty: choose another with sheet=")
    # fractions come as text of nine digits: take them as the numbers that they are
    exact = [
        pl.when(text.str.contains(r"[.eE]") & number.is_not_null()).then(number.cast(pl.String)).otherwise(text)
        for text, number in zip(cells, numbers, strict=True)
    ]
    one_line = cells.select(column.alias(str(k)) for k, column in enumerate(exact)).with_columns(
        pl.all().str.replace_all(r"\s+", " ")
    )
    data = one_line.write_csv(include_header=False, separator="\t").encode()
    found = read_with_care(data, path, replace(options, sheet=None))
    found.counts["sheet"] = sheet
    return found


def _cells(path: Path, sheet: str, kind: Literal["string", "float"]) -> pl.DataFrame:
    """Read the cells of a sheet as text or as numbers; what is none is null."""
    options: dict[str, Any] = {"header_row": None, "skip_rows": 0, "dtypes": kind}
    return pl.read_excel(
        path,
        sheet_name=sheet,
        engine="calamine",
        has_header=False,
        drop_empty_rows=False,  # so that a row keeps its number
        drop_empty_cols=False,
        read_options=options,
        raise_if_empty=False,
    )


def _chosen(names: list[str], wanted: str | None, path: Path) -> str:
    """Choose a sheet by its name, or by its number from 1."""
    listed = ", ".join(map(repr, names))
    if wanted is None:
        if len(names) > 1:
            raise BadFile(f"{path}: has {len(names)} sheets, {listed}: choose one with sheet=")
        return names[0]
    if str(wanted) in names:
        return str(wanted)
    if str(wanted).isdecimal() and 0 < int(wanted) <= len(names):
        return names[int(wanted) - 1]
    raise BadFile(f"{path}: has no sheet {str(wanted)!r}; its sheets are {listed}")
