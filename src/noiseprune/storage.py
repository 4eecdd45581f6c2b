"""load(): what was saved, whatever it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from noiseprune.errors import BadFile
from noiseprune.experiments import table
from noiseprune.experiments.table import Sweep
from noiseprune.plasticity import saving as runs
from noiseprune.plasticity.development import Development
from noiseprune.pruning import saving as prunes
from noiseprune.pruning.pipeline import Pruned
from noiseprune.sources.files import metadata as meta
from noiseprune.sources.files.archive import open_archive
from noiseprune.sources.files.matrices import understood

# the one table of what archives hold
KINDS: dict[str, Callable[..., Any]] = {prunes.KIND: prunes.restore, runs.KIND: runs.restore}


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
    with understood(path, "sweep"):
        record = meta.from_json(path.read_text(encoding="utf-8"))
        if record.pop("schema_version") != table.SCHEMA_VERSION:
            raise BadFile(f"{path}: has another schema version; this noiseprune reads {table.SCHEMA_VERSION}: upgrade it")
        return Sweep(**record)
