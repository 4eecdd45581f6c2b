"""Results of prune in a file, and back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from noiseprune.errors import BadFile
from noiseprune.sources.files.archive import write_archive
from noiseprune.sources.objects import MatrixKind

if TYPE_CHECKING:
    from noiseprune.pruning.pipeline import Pruned

KIND = "pruned"


def save(result: Pruned, path: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Write a result; see `Pruned.save`.

    Parameters
    ----------
    result : Pruned
        What to write.
    path : path
        An ``.npz`` file.
    overwrite : bool
        Whether a file that exists is replaced.

    Raises
    ------
    BadFile
        Where the name ends otherwise, the file exists or cannot be written.
    """
    if Path(path).suffix != ".npz":
        raise BadFile(f"{path}: a result is saved as .npz; name it so")
    variance = result.variance
    record = {
        "provenance": result.provenance,
        "comparison": None if result.comparison is None else result.comparison.to_dict(),
        "constant": result.probability.constant,
        "variance": None
        if variance is None
        else {name: getattr(variance, name) for name in ("n_samples", "source", "report")},
        "matrix_kind": vars(result.kind if isinstance(result.kind, MatrixKind) else MatrixKind(weights=True)),
    }
    arrays: dict[str, Any] = {"kept": np.packbits(result.kept_links), "probability": result.probability.per_link}
    if variance is not None:
        arrays["variance"] = variance.per_link
        arrays["variance_relative_error"] = np.asarray(variance.relative_error)
    write_archive(path, KIND, record, arrays, result.original, result.network, overwrite=overwrite)
