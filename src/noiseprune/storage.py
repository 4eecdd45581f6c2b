"""load(): what was saved, whatever it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from noiseprune.errors import BadFile
from noiseprune.experiments import table
from noiseprune.experiments.table import Sweep
from noiseprune.measure.result import Comparison
from noiseprune.network import Network
from noiseprune.plasticity import saving as runs
from noiseprune.plasticity.development import Development
from noiseprune.probes import Measurement
from noiseprune.pruning import saving as prunes
from noiseprune.pruning.pipeline import Pruned
from noiseprune.rules.budget import KeepProbability
from noiseprune.sources.files import metadata as meta
from noiseprune.sources.files.archive import open_archive
from noiseprune.sources.files.matrices import naming_damage
from noiseprune.sources.objects import MatrixKind


def load(path: str | os.PathLike[str]) -> Pruned | Development | Sweep:
    """Read what `Pruned.save`, `Development.save` (``.npz``) or `Sweep.save` (``.json``) wrote.

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
    with open_archive(path) as (file, record, before, after):
        return KINDS[record["kind"]](file, record, before, after)


def _load_sweep(path: Path) -> Sweep:
    with naming_damage(path, "sweep"):
        record = meta.from_json(path.read_text(encoding="utf-8"))
        if record.pop("schema_version") != table.SCHEMA_VERSION:
            raise BadFile(
                f"{path}: has another schema version; this noiseprune reads {table.SCHEMA_VERSION}: upgrade it"
            )
        return Sweep(**record)


def _pruned(file: Any, record: dict[str, Any], before: Network, after: Network) -> Pruned:
    """Make a result again from what `save` wrote: arrays, the record, and the networks before and after."""
    from noiseprune.pruning.pipeline import Pruned

    kept = np.unpackbits(file["kept"], count=before.n_links).astype(np.bool_)
    probability = KeepProbability(file["probability"], before.synapses_per_link, record["constant"])
    variance = None
    if record["variance"] is not None:
        errors = file["variance_relative_error"]
        errors = errors if errors.ndim else float(errors)
        variance = Measurement(file["variance"], errors, before.synapses_per_link, **record["variance"])
    kind = MatrixKind(**record["matrix_kind"])
    comparison = Comparison.from_dict(record["comparison"])
    return Pruned(after, before, kept, probability, variance, comparison, record["provenance"], kind)


def _run(file: Any, record: dict[str, Any], before: Network, after: Network) -> Development:
    """Make a run again from what `save` wrote: arrays, the record, and the networks before and after."""
    comparison = Comparison.from_dict(record.get("comparison"))
    return Development(after, before, record["records"], file["pruned_at"], record["provenance"], comparison)


# the one table of what archives hold
KINDS: dict[str, Callable[..., Any]] = {prunes.KIND: _pruned, runs.KIND: _run}
