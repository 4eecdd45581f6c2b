"""Whether the first row of an edge list names its columns or is a synapse already."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

from noiseprune.errors import BadFile
from noiseprune.network.column_names import column_role
from noiseprune.sources.files.rows import OURS
from noiseprune.sources.reading import ReadOptions

INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})")


def has_header(rows: Sequence[Sequence[str]], options: ReadOptions, path: Path) -> bool | None:
    """Say whether the first of some rows names the columns; None where nothing tells.

    Parameters
    ----------
    rows : list of list of str
        The first rows, cells without blanks around them, numbers with points.
    options : ReadOptions
        Which columns a user named, and whether there is a header at all.
    path : path
        For errors.

    Raises
    ------
    BadFile
        Where a user named columns by what are neurons.
    """
    if options.no_header:
        return False
    first, below = rows[0], rows[1:]
    ids = {cell for row in below for cell in row[:2]}
    if options.about_tables() or any(column_role(name) in ("pre", "post") for name in first):
        named = [str(name) for name in (options.pre, options.post) if name is not None]
        if named and all(name in first[:2] and name in ids for name in named):
            raise BadFile(
                f"{path}: {named[0]!r} is a neuron of the first row, and no column is called so, since it occurs again below: "
                "give no_header=True, with the numbers of the columns: pre=1 and post=2"
            )
        return True
    if looks_like_a_synapse(first):
        return False
    if len(first) < 2 or any(_heads_numbers(k, first, below) for k in range(2, len(first))):
        return None
    integers = all(INTEGER.fullmatch(cell) for row in rows for cell in row[:2])
    return False if integers or ids & set(first[:2]) - {""} else None


def _heads_numbers(k: int, first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether column k holds numbers under a word."""
    cells = [row[k] for row in below if len(row) > k and row[k]]
    return bool(cells) and all(map(is_number, cells)) and not is_number(first[k])


def looks_like_a_synapse(cells: Sequence[str]) -> bool:
    """Whether a first row is data already: two ids, and a number (with a point) where there is a third column."""
    if len(cells) == 2:
        return all(INTEGER.fullmatch(cell.strip()) for cell in cells)
    return len(cells) == 3 and is_number(cells[2])


def is_number(cell: str) -> bool:
    """Whether a cell holds a number, be it infinite."""
    try:
        return not math.isnan(float(cell))
    except ValueError:
        return False


def columns_of(first: Sequence[str], options: ReadOptions) -> tuple[list[str], bool, dict[str, str]]:
    """Name the columns of a table without a header; say whether by numbers, and what to note."""
    if options.no_header or not looks_like_a_synapse(first):
        note = "none: columns go by their numbers" + (", the first two as pre, post" if not options.pre else "")
        return [str(k + 1) for k in range(len(first))], True, {"header": note}
    return OURS[: len(first)], False, {"header": f"none: the columns were taken as {', '.join(OURS[: len(first)])}"}
