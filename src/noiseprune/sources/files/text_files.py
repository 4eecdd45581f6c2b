"""Text: edge lists and square matrices."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl
import scipy.sparse as sp

from noiseprune.errors import BadFile
from noiseprune.machine.memory import available_bytes
from noiseprune.network import Network
from noiseprune.network.column_names import column_role
from noiseprune.sources.files import metadata as meta
from noiseprune.sources.files import text
from noiseprune.sources.files.extras import require
from noiseprune.sources.files.found import Found
from noiseprune.sources.files.headers import columns_of, has_header
from noiseprune.sources.files.matrices import take_square, text_matrix
from noiseprune.sources.files.rows import SAMPLED, Table
from noiseprune.sources.files.scanning import scan_text
from noiseprune.sources.files.sources import BYTES_PER_BYTE, in_utf8, read_bytes
from noiseprune.sources.files.tables import edge_list, own_weights
from noiseprune.sources.reading import TABLE_OPTIONS, ReadOptions


def read_text(path: Path, options: ReadOptions, record: meta.Metadata | None) -> Network | Found:
    """Read an edge list or a square matrix.

    Parameters
    ----------
    path, options, record
        As in `arrow_files.read_arrow`.

    Raises
    ------
    BadFile
        As of `read_with_care`.
    """
    if record is not None:
        return meta.restore(_own_weights(path, record), record, path)
    options.allow(("orientation", "symmetrise", *TABLE_OPTIONS), f"{path} is text")
    table = scan_text(path, options)
    if table is not None:
        try:
            return edge_list(table, path, options)
        except pl.exceptions.PolarsError:
            pass  # cells of other types further down
        except BadFile:
            if path.stat().st_size * BYTES_PER_BYTE > available_bytes():
                raise
    return read_with_care(read_bytes(path), path, options)


def read_with_care(data: bytes, path: Path, options: ReadOptions) -> Found:
    """Read messy text, or name the line that is wrong.

    Parameters
    ----------
    data : bytes
        The text.
    path : Path
        The file.
    options : ReadOptions
        What the user said of it.

    Raises
    ------
    BadFile
        Where a line is wrong, or it is neither a square matrix nor an edge list.
    """
    networkx = networkx_table(data, path)
    if networkx is not None:
        return edge_list(networkx, path, options)
    cells = text.parse(data, path, decimal_comma=options.decimal_comma)
    sample = [[cell or "" for cell in row] for row in cells.cells.head(SAMPLED).iter_rows()]
    first = sample[0]
    pointed = [[cell.replace(",", ".") for cell in row] for row in sample] if options.decimal_comma else sample
    named = any(column_role(name) in ("pre", "post") for name in first) or options.about_tables()
    notes = {"title": cells.title} if cells.title else {}
    if not (named or options.no_header or options.undirected):
        matrix = text_matrix(cells, path, decimal_comma=options.decimal_comma)
        if matrix is not None:
            found = take_square(
                matrix.values, matrix.labels, path, options, "text", taking=("decimal_comma",), oblong=matrix.oblong
            )
            found.counts.update(notes | matrix.counts)
            return found
    header = has_header(pointed, options, path)
    if header is None:
        raise BadFile(
            f"{path}: is neither a square matrix ({cells.cells.height} rows, {cells.cells.width} columns) nor an edge list "
            f"(no column called pre, source, origin or from in {', '.join(map(repr, first[:6]))}): make the "
            "matrix square, or name the columns with pre= and post=, or give no_header=True where the first row is data"
        )
    lined = cells.cells.with_columns(cells.lines.alias("line"))
    if header:
        return edge_list(Table(lined.slice(1).lazy(), first, typed=False, notes=notes), path, options)
    names, numbered, more = columns_of(pointed[0], options)
    return edge_list(Table(lined.lazy(), names, typed=False, numbered=numbered, notes=notes | more), path, options)


NETWORKX_LINE = re.compile(r'([^{}"]*?)\{[^{}]*\}\s*')


def networkx_table(data: bytes, path: Path) -> Table | None:
    """Read lines like ``a b {'weight': 3}``, as NetworkX writes them; None where the first line is no such line.

    Raises
    ------
    BadFile
        Where a later line is no such line.
    MissingExtra
        Where NetworkX is not installed.
    """
    data, first_line, _ = text.beginning(data, path)
    lines = data.decode("utf-8", "replace").splitlines()
    begun = NETWORKX_LINE.fullmatch(lines[0])
    if begun is None:
        return None
    networkx = require("networkx", "nx", "an edge list of NetworkX, with {...} at the end of its lines,")
    delimiter = text.separator_of(begun[1].encode())
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(lines, first_line):
        if not line.strip() or text.COMMENT.fullmatch(line.encode()):
            continue
        try:
            graph = networkx.parse_edgelist(
                [line], comments=None, delimiter=delimiter, create_using=networkx.DiGraph, data=True
            )
            ((pre, post, attributes),) = graph.edges(data=True)
        except (TypeError, ValueError, RecursionError, MemoryError) as error:
            raise BadFile(
                f"{path}: line {number} is no line of a NetworkX edge list, like a b {{'weight': 3}}: "
                f"{' '.join(str(error).split())[:100]}: mend that line"
            ) from None
        rows.append(
            {"line": number, "pre": pre.strip(), "post": post.strip(), **{f" {k}": v for k, v in attributes.items()}}
        )
    names = list(dict.fromkeys(name for row in rows for name in row if name != "line"))
    columns = {
        str(k): pl.Series([None if row.get(name) is None else str(row[name]) for row in rows], dtype=pl.String)
        for k, name in enumerate(names)
    }
    frame = pl.DataFrame({**columns, "line": pl.Series([row["line"] for row in rows])}).lazy()
    return Table(frame, [name.strip() for name in names], typed=False, notes={"format": "edge list of NetworkX"})


def _own_weights(path: Path, record: meta.Metadata) -> sp.csr_array:
    """Read the weights (post, pre) of a file that we wrote, ids to the letter."""
    separator = SEPARATORS.get(Path(path.name.lower().removesuffix(".gz")).suffix, "\t")
    return own_weights(pl.read_csv(in_utf8(path), separator=separator, infer_schema=False), record, path)


SEPARATORS = {".csv": ","}


def table_of(network: Network) -> pl.DataFrame:
    """Return a network's synapses as a table pre, post, weight; the neurons by their labels."""
    post, pre, weight = network.synapses
    labels: Any = range(network.n_neurons) if network.labels is None else network.labels
    names = pl.Series("label", labels)
    return pl.DataFrame({"pre": names.gather(pre), "post": names.gather(post), "weight": weight})


def write_csv(network: Network, path: Path) -> None:
    """Write a table with commas."""
    table_of(network).write_csv(in_utf8(path))


def write_tsv(network: Network, path: Path) -> None:
    """Write a table with tabs."""
    table_of(network).write_csv(in_utf8(path), separator="\t")
