"""Results of prune and of runs in one ``.npz`` file: both networks, every decision, what was measured; no pickle."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from noiseprune.comparison import Comparison
from noiseprune.errors import BadFile
from noiseprune.files import metadata as meta
from noiseprune.files.matrices import understood
from noiseprune.files.output import replacing
from noiseprune.network import Network
from noiseprune.probes import DifferenceVariance
from noiseprune.processes import with_polars
from noiseprune.rule.budget import KeepProbability

if TYPE_CHECKING:
    from noiseprune.pipeline import Pruned
    from noiseprune.plasticity import Trace
    from noiseprune.sweeping import Sweep

SCHEMA_VERSION = 1


def save_pruned(result: Pruned, path: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Write a result; see `Pruned.save`."""
    from noiseprune.kinds import MatrixKind

    if Path(path).suffix != ".npz":
        raise BadFile(f"{path}: a result is saved as .npz; name it so")
    record = {
        "schema_version": SCHEMA_VERSION,
        "kind": "pruned",
        "provenance": result.provenance,
        "comparison": None if result.comparison is None else result.comparison.to_dict(),
        "constant": result.probability.constant,
        "variance": None
        if result.variance is None
        else {name: getattr(result.variance, name) for name in ("n_samples", "source", "report")},
        "matrix_kind": vars(result.kind if isinstance(result.kind, MatrixKind) else MatrixKind(weights=True)),
    }
    arrays: dict[str, Any] = {
        "noiseprune_result": np.array(json.dumps(record, allow_nan=False)),
        "kept": np.packbits(result.kept_links),
        "probability": result.probability.per_link,
    }
    if result.variance is not None:
        arrays["variance"] = result.variance.per_link
        arrays["variance_relative_error"] = np.asarray(result.variance.relative_error)
    arrays |= _arrays("before", result.original) | _arrays("after", result.network)
    with replacing(path, overwrite=overwrite) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def save_trace(trace: Trace, path: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Write a run; see `Trace.save`."""
    with replacing(path, overwrite=overwrite) as temporary:
        if Path(path).suffix == ".parquet":
            with_polars(write_rows)(trace.records, temporary, ".parquet")
            return
        record = {
            "schema_version": SCHEMA_VERSION,
            "kind": "trace",
            "provenance": trace.provenance,
            "records": trace.records,
        }
        arrays: dict[str, Any] = {
            "noiseprune_result": np.array(json.dumps(record, allow_nan=False)),
            "pruned_at": trace.link_pruned_at,
            **_arrays("before", trace.original),
            **_arrays("after", trace.network),
        }
        with temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)


def write_rows(rows: list[dict[str, Any]], path: Path, suffix: str) -> None:
    """Write a table, ``.csv`` or ``.parquet``, whatever the path ends in."""
    import polars as pl

    table, memory = pl.DataFrame(rows, infer_schema_length=None), io.BytesIO()
    table.write_csv(memory) if suffix == ".csv" else table.write_parquet(memory)
    path.write_bytes(memory.getbuffer())


def load(path: str | os.PathLike[str]) -> Pruned | Trace | Sweep:
    """Read what `Pruned.save`, `Trace.save` (``.npz``) or `Sweep.save` (``.json``) wrote.

    Raises
    ------
    BadFile
        Where the file is missing, damaged, or of another version.
    """
    path = Path(path)
    if not path.is_file():
        raise BadFile(f"{path}: no such file; check the name and the folder")
    if path.suffix == ".json":
        return _load_sweep(path)
    with understood(path, "result of noiseprune"), path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
        if "noiseprune_result" not in file:
            raise BadFile(f"{path}: holds no result of prune or run; noiseprune.read reads networks")
        record = json.loads(str(file["noiseprune_result"]))
        if record["schema_version"] != SCHEMA_VERSION:
            raise BadFile(
                f"{path}: has schema version {record['schema_version']}; this noiseprune reads {SCHEMA_VERSION}: upgrade it"
            )
        before, after = (_network(file, name, path) for name in ("before", "after"))
        return _LOADERS[record["kind"]](file, record, before, after)


def _load_pruned(file: Any, record: dict[str, Any], before: Network, after: Network) -> Pruned:
    from noiseprune.kinds import MatrixKind
    from noiseprune.pipeline import Pruned

    kept = np.unpackbits(file["kept"], count=before.n_links).astype(np.bool_)
    probability = KeepProbability(file["probability"], before.synapses_per_link, record["constant"])
    variance = None
    if record["variance"] is not None:
        errors = file["variance_relative_error"]
        errors = errors if errors.ndim else float(errors)
        variance = DifferenceVariance(file["variance"], errors, before.synapses_per_link, **record["variance"])
    comparison = None
    if record["comparison"] is not None:
        known = {f.name for f in fields(Comparison)}
        comparison = Comparison(**{name: value for name, value in record["comparison"].items() if name in known})
    kind = MatrixKind(**record["matrix_kind"])
    return Pruned(after, before, kept, probability, variance, comparison, record["provenance"], kind)


def _load_trace(file: Any, record: dict[str, Any], before: Network, after: Network) -> Trace:
    from noiseprune.plasticity import Trace

    return Trace(after, before, record["records"], file["pruned_at"], record["provenance"])


_LOADERS: dict[str, Callable[..., Any]] = {"pruned": _load_pruned, "trace": _load_trace}


def _load_sweep(path: Path) -> Sweep:
    from noiseprune.sweeping import SCHEMA_VERSION, Sweep

    with understood(path, "sweep"):
        record = json.loads(path.read_text(encoding="utf-8"))
        if record.pop("schema_version") != SCHEMA_VERSION:
            raise BadFile(f"{path}: has another schema version; this noiseprune reads {SCHEMA_VERSION}: upgrade it")
        return Sweep(**record)


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
    links = sp.csr_array(tuple(file[f"{name}_{part}"] for part in ("data", "indices", "indptr")), shape=(n, n))
    links.check_format(full_check=True)
    return Network.from_links(
        links,
        file[f"{name}_leak"],
        file[f"{name}_noise_std"],
        symmetric=described["symmetric"],
        activation=described["activation"],
        labels=None if labels is None else tuple(labels),
        origin=described["origin"],
    )
