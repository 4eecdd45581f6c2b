"""Results in one ``.npz`` archive: a record in JSON, arrays, and the networks before and after; no pickle."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from noiseprune.errors import BadFile
from noiseprune.machine.output import replacing
from noiseprune.network import Network
from noiseprune.network.checks import check_sparse
from noiseprune.sources.files import metadata as meta
from noiseprune.sources.files.matrices import naming_damage

SCHEMA_VERSION = 1
RECORD = "noiseprune_result"


def write_archive(
    path: str | os.PathLike[str],
    kind: str,
    record: Mapping[str, Any],
    arrays: Mapping[str, Any],
    before: Network,
    after: Network,
    *,
    overwrite: bool,
) -> None:
    """Write an archive.

    Parameters
    ----------
    path : path
        The ``.npz`` file.
    kind : str
        What the result is, by which it is read again.
    record : dict
        What is fit for strict JSON.
    arrays : dict of arrays
        What is not.
    before, after : Network
        The network and what became of it.
    overwrite : bool
        Whether a file that exists is replaced.

    Raises
    ------
    BadFile
        Where the file exists or cannot be written.
    """
    text = json.dumps({"schema_version": SCHEMA_VERSION, "kind": kind, **record}, allow_nan=False)
    networks = _arrays("before", before) | _arrays("after", after)
    with replacing(path, overwrite=overwrite) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **{RECORD: np.array(text), **arrays, **networks})


@contextlib.contextmanager
def open_archive(path: Path) -> Iterator[tuple[Any, dict[str, Any], Network, Network]]:
    """Read an archive: give its arrays, its record, and the networks before and after.

    Raises
    ------
    BadFile
        Where it is damaged, no result, or of another version.
    """
    with naming_damage(path, "result of noiseprune"), path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
        if RECORD not in file:
            raise BadFile(f"{path}: holds no result of prune or run; noiseprune.read reads networks")
        record = meta.from_json(str(file[RECORD]))
        if record["schema_version"] != SCHEMA_VERSION:
            raise BadFile(
                f"{path}: has schema version {record['schema_version']}; this noiseprune reads {SCHEMA_VERSION}: upgrade it"
            )
        before, after = (_network(file, name, path) for name in ("before", "after"))
        yield file, record, before, after


def write_rows(rows: list[dict[str, Any]], path: Path, suffix: str) -> None:
    """Write a table, ``.csv`` or ``.parquet``, whatever the path ends in.

    Parameters
    ----------
    rows : list of dict
        One a row, with the same keys.
    path : Path
        Where to.
    suffix : ".csv" or ".parquet"
        The format.
    """
    import polars as pl

    table, memory = pl.DataFrame(rows, infer_schema_length=None), io.BytesIO()
    table.write_csv(memory) if suffix == ".csv" else table.write_parquet(memory)
    path.write_bytes(memory.getbuffer())


def _arrays(name: str, network: Network) -> dict[str, Any]:
    """Everything of a network, under names that begin with `name`."""
    csr = network.link_matrix
    return {
        **{f"{name}_{part}": getattr(csr, part) for part in ("data", "indices", "indptr")},
        f"{name}_leak": network.leak,
        f"{name}_noise_std": network.noise_std,
        f"{name}_description": np.array(meta.dumps(meta.describe(network))),
    }


def _network(file: Any, name: str, path: Path) -> Network:
    described = meta.loads(str(file[f"{name}_description"]), path)
    n = described["n_neurons"]
    labels = meta.labels_of(described, path)
    links = check_sparse(
        sp.csr_array(tuple(file[f"{name}_{part}"] for part in ("data", "indices", "indptr")), shape=(n, n))
    )
    return Network.from_links(
        links,
        file[f"{name}_leak"],
        file[f"{name}_noise_std"],
        symmetric=described["symmetric"],
        activation=described["activation"],
        labels=None if labels is None else tuple(labels),
        origin=described["origin"],
    )
