"""Names of neurons that stand in a file of their own, beside a matrix without."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from noiseprune.errors import BadFile, InvalidOption
from noiseprune.sources.files.found import Found
from noiseprune.sources.files.sources import check_readable, read_bytes


def with_labels(found: Found, given: str | os.PathLike[str] | Sequence[Any], path: Path) -> Found:
    """Name the neurons of a matrix.

    Parameters
    ----------
    found : Found
        What `path` held.
    given : path or sequence
        A file with one name a line, with all of them on one line, or with a table of which one column has a name for every
        neuron; or the names.
    path : path
        For errors.

    Raises
    ------
    InvalidOption
        Where the file names its neurons itself, or the names do not fit the matrix.
    BadFile
        Where the file of names cannot be read, or it does not say which of its columns are meant.
    """
    from noiseprune.sources.files.matrices import name_neurons

    if found.labels is not None:
        raise InvalidOption(f"{path} names its neurons itself, {found.labels[0]!r} the first: leave labels out")
    n = found.matrix.shape[0]
    if isinstance(given, str | os.PathLike):
        where, names = str(given), _read(Path(given), n)
    else:
        where, names = "labels", [str(x) for x in given]
    if len(names) != n:
        raise InvalidOption(f"{where}: has {len(names)} names for the {n} neurons of {path}")
    seen: dict[str, int] = {}
    for k, name in enumerate(names, 1):
        if not name or name in seen:
            said = f"is the same as number {seen[name]}, {name!r}" if name else "is empty"
            raise InvalidOption(f"{where}: name number {k} {said}; names must be distinct")
        seen[name] = k
    return replace(found, labels=name_neurons(names), counts=found.counts | {"labels": Path(where).name})


def _read(path: Path, n: int) -> list[str]:
    """Read names; how many there are is checked elsewhere."""
    from noiseprune.sources.files.text import separator_of

    check_readable(path)
    try:
        lines = [line.strip() for line in read_bytes(path).decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        raise BadFile(f"{path}: is not UTF-8: save it as that") from None
    lines = [line for line in lines if line]
    separator = separator_of(lines[0].encode())
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=separator or "\t")]
    if len(rows) == 1:
        return rows[0]
    width = max(map(len, rows))
    if width == 1 or any(len(row) != width for row in rows):
        return [row[0] if len(row) == 1 else line for row, line in zip(rows, lines, strict=True)]
    header, rows = (rows[0], rows[1:]) if len(rows) == n + 1 else ([], rows)
    columns = dict(enumerate(zip(*rows, strict=True)))
    fit = {k: cells for k, cells in columns.items() if len(set(cells)) == len(cells) and all(cells)}
    words = {
        k: cells
        for k, cells in fit.items()
        if not all(cell.lstrip("-").replace(".", "", 1).isdigit() for cell in cells)
    }
    choice = words or fit
    if len(choice) != 1:
        which = ", ".join(header[k] if header else str(k + 1) for k in choice)
        raise BadFile(
            f"{path}: {len(choice)} of its {width} columns have a distinct name in each of {len(rows)} rows"
            f"{f' ({which})' if which else ''}, where one was expected: keep that column alone"
        )
    return list(next(iter(choice.values())))
