"""Text: edge lists and square matrices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import scipy.sparse as sp

from noiseprune.errors import BadFile
from noiseprune.files import metadata as meta
from noiseprune.files import text
from noiseprune.files.matrices import square, text_matrix
from noiseprune.files.options import Found, ReadOptions
from noiseprune.files.rows import Table, column_role
from noiseprune.files.scanning import looks_like_a_synapse, scan_text
from noiseprune.files.sources import BYTES_PER_BYTE, in_utf8, read_bytes
from noiseprune.files.tables import edge_list, own_weights
from noiseprune.linalg.memory import available_bytes
from noiseprune.network import Network


def read_text(path: Path, options: ReadOptions, record: meta.Metadata | None) -> Network | Found:
    """Read an edge list or a square matrix."""
    if record is not None:
        return meta.restore(_own_weights(path, record), record, path)
    table = scan_text(path, options)
    if table is not None:
        try:
            return edge_list(table, path, options)
        except pl.exceptions.PolarsError:
            pass  # cells of other types further down
        except BadFile:
            if path.stat().st_size * BYTES_PER_BYTE > available_bytes():
                raise
    return _with_care(path, options)


def _with_care(path: Path, options: ReadOptions) -> Found:
    """Read messy text, or name the line that is wrong."""
    cells = text.parse(read_bytes(path), path, decimal_comma=options.decimal_comma)
    first = [cell or "" for cell in cells.cells.row(0)]
    named = any(column_role(name) in ("pre", "post") for name in first) or options.about_tables()
    matrix = None if named else text_matrix(cells, path, decimal_comma=options.decimal_comma)
    if matrix is not None:
        return square(*matrix, path, options, "text", taking=("decimal_comma",))
    pointed = [cell.replace(",", ".") for cell in first] if options.decimal_comma else first
    if not (named or looks_like_a_synapse(pointed)):
        raise BadFile(
            f"{path}: is neither a square matrix ({cells.cells.height} rows, {cells.cells.width} columns) nor an edge list "
            f"(no column called pre, source, origin or from in {', '.join(map(repr, first[:6]))}): make the "
            "matrix square, or name the columns with --pre and --post"
        )
    lined = cells.cells.with_columns(cells.lines.alias("line"))
    rows = lined.slice(1) if named else lined
    return edge_list(Table(rows.lazy(), first if named else None, typed=False), path, options)


def _own_weights(path: Path, record: meta.Metadata) -> sp.csr_array:
    """Read the weights (post, pre) of a file that we wrote, ids to the letter."""
    separator = SEPARATORS[Path(path.name.lower().removesuffix(".gz")).suffix]
    return own_weights(pl.read_csv(in_utf8(path), separator=separator, infer_schema=False), record, path)


SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}


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
