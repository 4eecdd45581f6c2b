"""Parquet and Arrow (Feather): edge lists of any size, read piece by piece."""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl

from noiseprune.network import Network
from noiseprune.sources.files import metadata as meta
from noiseprune.sources.files.found import Found
from noiseprune.sources.files.matrices import naming_damage
from noiseprune.sources.files.scanning import scan_arrow, scan_parquet
from noiseprune.sources.files.sources import in_utf8
from noiseprune.sources.files.tables import edge_list, own_weights
from noiseprune.sources.files.text_files import table_of
from noiseprune.sources.reading import ReadOptions


def read_parquet(path: Path, options: ReadOptions) -> Network | Found:
    """Read an edge list, or what `write_parquet` wrote."""
    table = scan_parquet(path)
    with naming_damage(path, "Parquet file"):
        text = pl.read_parquet_metadata(in_utf8(path)).get(meta.RECORD)
        if text is not None:
            weights = own_weights(pl.read_parquet(in_utf8(path)), meta.loads(text, path), path)
            network = meta.restore_inside(weights, text, path)
            if network is not None:
                return network
        return edge_list(table, path, options)


def write_parquet(network: Network, path: Path) -> None:
    """Write the synapses as a table, everything else into the file's metadata."""
    memory = io.BytesIO()  # where a disk is full, polars has an error of its own
    table_of(network).write_parquet(memory, metadata={meta.RECORD: meta.dumps(meta.describe(network))})
    path.write_bytes(memory.getbuffer())


def read_arrow(path: Path, options: ReadOptions, record: meta.Metadata | None) -> Network | Found:
    """Read an edge list, or what `write_arrow` wrote.

    Parameters
    ----------
    path : Path
        The file.
    options : ReadOptions
        What the user said of it.
    record : Metadata or None
        Of the network, where noiseprune wrote the file.

    Raises
    ------
    BadFile
        Where it is damaged, or no Arrow file.
    """
    with naming_damage(path, "Arrow (Feather) file"):
        if record is not None:
            return meta.restore(own_weights(pl.read_ipc(in_utf8(path)), record, path), record, path)
        return edge_list(scan_arrow(path), path, options)


def write_arrow(network: Network, path: Path) -> None:
    """Write the synapses as a table."""
    table_of(network).write_ipc(in_utf8(path), compression="zstd")
