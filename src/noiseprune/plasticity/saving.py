"""Runs in a file, and back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from noiseprune.errors import BadFile
from noiseprune.machine.output import check_output, replacing
from noiseprune.machine.processes import with_polars
from noiseprune.sources.files.archive import write_archive, write_rows

if TYPE_CHECKING:
    from noiseprune.plasticity.development import Development

KIND = "trace"
SUFFIXES = (".npz", ".parquet")


def save(run: Development, path: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Write a run; see `Development.save`.

    Parameters
    ----------
    run : Development
        What to write.
    path : path
        ``.npz`` for all of it, ``.parquet`` for its records.
    overwrite : bool
        Whether a file that exists is replaced.

    Raises
    ------
    BadFile
        Where the name ends otherwise, the file exists or cannot be written.
    """
    check_savable(path, overwrite=overwrite)
    if Path(path).suffix == ".parquet":
        with replacing(path, overwrite=overwrite) as temporary:
            with_polars(write_rows)(run.records, temporary, ".parquet")
        return
    comparison = None if run.comparison is None else run.comparison.to_dict()
    record = {"provenance": run.provenance, "records": run.records, "comparison": comparison}
    arrays = {"pruned_at": run.link_pruned_at}
    write_archive(path, KIND, record, arrays, run.original, run.network, overwrite=overwrite)


def check_savable(path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Refuse a path that `Development.save` could not write, before any work is done.

    Raises
    ------
    BadFile
        Where its suffix is neither .npz nor .parquet, or it could not be written.
    """
    if Path(path).suffix not in SUFFIXES:
        raise BadFile(f"{path}: a run is saved as .npz, all of it, or as .parquet, its records; name it so")
    check_output(path, overwrite=overwrite)
