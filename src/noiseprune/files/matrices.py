"""Square matrices: text, NumPy, SciPy sparse, Matrix Market."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import scipy.io
import scipy.sparse as sp

from noiseprune.errors import BadFile, InvalidOption
from noiseprune.files import metadata as meta
from noiseprune.files.text import Table
from noiseprune.network import Network

ORIENTATIONS = ("pre-post", "post-pre")


def oriented(matrix: Any, orientation: str | None, path: Path) -> Any:
    """Bring a matrix into (post, pre) order; refuse to guess where it makes a difference."""
    if orientation not in (None, *ORIENTATIONS):
        raise InvalidOption(f"orientation must be pre-post (rows send) or post-pre (rows receive); got {orientation!r}")
    if orientation == "pre-post":
        return matrix.T
    if orientation is None:
        square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1]
        if square and sp.csr_array(matrix != matrix.T).nnz:
            raise BadFile(
                f"{path}: the matrix is not symmetric and does not say which way it runs: give "
                "--orientation pre-post (a row holds what a neuron sends) or post-pre (a row holds what it receives)"
            )
    return matrix


def text_matrix(table: Table, path: Path) -> tuple[np.ndarray[Any, Any], list[int | str] | None] | None:
    """Read a square matrix, bare or with names along its edges; None where the table is no square."""
    rows, columns = table.cells.height, table.cells.width
    first = table.cells.row(0)
    numeric = all(_is_number(cell) for cell in first)
    if rows == columns and (numeric or (all(_is_number(cell) for cell in first[1:]) and _is_number(first[0]))):
        return _numbers(table.cells, table.lines, path), None
    if rows == columns and rows > 1:  # names in the first row and the first column
        names = [cell or "" for cell in first[1:]]
        beside = [cell or "" for cell in table.cells.to_series(0).to_list()[1:]]
        if names != beside:
            return None
        body = table.cells.slice(1).select(table.cells.columns[1:])
        return _numbers(body, table.lines.slice(1), path), _labels(names)
    if rows == columns + 1 and not numeric:  # names in the first row only
        return _numbers(table.cells.slice(1), table.lines.slice(1), path), _labels([cell or "" for cell in first])
    return None


def _is_number(cell: str | None) -> bool:
    try:
        float(cell or "")
    except ValueError:
        return False
    return True


def _labels(names: list[str]) -> list[int | str]:
    numbers = [int(name) if name.lstrip("-").isdigit() and str(int(name)) == name else None for name in names]
    return list(names) if None in numbers else [x for x in numbers if x is not None]


def _numbers(cells: pl.DataFrame, lines: pl.Series, path: Path) -> np.ndarray[Any, Any]:
    numbers = cells.cast(pl.Float64, strict=False)
    for column in range(cells.width):
        parsed = numbers.to_series(column)
        bad = parsed.is_null() | ~parsed.is_finite().fill_null(True)
        if bad.any():
            row = bad.arg_true()[0]
            raise BadFile(
                f"{path}: line {lines[row]}, column {column + 1} holds {cells.to_series(column)[row]!r}, which is no finite "
                "number"
            )
    return numbers.to_numpy()


def read_npy(data: bytes, path: Path) -> Any:
    """Read a dense array; no pickles."""
    try:
        return np.load(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise BadFile(f"{path}: is no readable .npy array ({error})") from None


# a word that is no number: SciPy's reader (1.17) does not see its end, and takes the whole process down
NO_NUMBER = re.compile(rb"(?<!\S)(?![-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?!\S))\S+")
MTX_HEADER = re.compile(rb"(?:[ \t]*(?:%[^\n]*)?\n)*")


def read_mtx(data: bytes, path: Path) -> Any:
    """Read Matrix Market."""
    header = MTX_HEADER.match(data)
    bad = NO_NUMBER.search(data, header.end() if header else 0)
    if bad:
        line = data.count(b"\n", 0, bad.start()) + 1
        raise BadFile(
            f"{path}: line {line} holds {bad[0][:40].decode('utf-8', 'replace')!r}, which is no finite number"
        )
    try:
        return scipy.io.mmread(io.BytesIO(data.rstrip() + b"\n"), spmatrix=False)
    except (ValueError, EOFError, OSError, OverflowError) as error:
        raise BadFile(f"{path}: is no readable Matrix Market file ({error})") from None


def read_npz(data: bytes, path: Path) -> Network | Any:
    """Read SciPy's sparse layout; a Network where noiseprune wrote it, else the matrix."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            if "noiseprune_result" in file:
                raise BadFile(f"{path}: holds a result of prune, not a network: read it with noiseprune.load")
            metadata = meta.loads(str(file["noiseprune"]), path) if "noiseprune" in file else None
        matrix = sp.load_npz(io.BytesIO(data))
    except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile) as error:
        if isinstance(error, BadFile):
            raise
        raise BadFile(f"{path}: is no readable .npz of a SciPy sparse matrix ({error})") from None
    return matrix if metadata is None else meta.restore(sp.csr_array(matrix), metadata, path)


def npz_arrays(network: Network) -> dict[str, Any]:
    """Return the arrays of SciPy's ``save_npz`` layout, with one more for the rest of the network."""
    csr = network.weights
    return {
        "format": np.array(b"csr"),
        "shape": np.array(csr.shape),
        "indices": csr.indices,
        "indptr": csr.indptr,
        "data": csr.data,
        "_is_array": np.array(True),
        "noiseprune": np.array(meta.dumps(meta.describe(network))),
    }
