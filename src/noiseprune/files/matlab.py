"""MATLAB: files up to version 7 by SciPy, version 7.3 (which is HDF5) by h5py. Objects are never loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
import scipy.sparse as sp

from noiseprune.errors import BadFile
from noiseprune.files import metadata as meta
from noiseprune.files.extras import required
from noiseprune.files.hdf5 import dense, values
from noiseprune.files.matrices import chosen, square, understood
from noiseprune.files.options import Found, ReadOptions
from noiseprune.linalg.memory import need
from noiseprune.network import Network

WEIGHTS = "weights"
HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"
USERBLOCK = 512  # bytes of text before it in version 7.3
NUMERIC = ("double", "single", "sparse", "logical", *(f"{u}int{k}" for u in ("", "u") for k in (8, 16, 32, 64)))


def read_mat(path: Path, options: ReadOptions) -> Network | Found:
    """Read one matrix, or what `write_mat` wrote."""
    with path.open("rb") as file:
        head = file.read(USERBLOCK + len(HDF5_MAGIC))
    if HDF5_MAGIC in (head[USERBLOCK:], head[: len(HDF5_MAGIC)]):
        return _read_version_7_3(path, options)
    with understood(path, "MATLAB file"):
        listed = {name: (shape, kind) for name, shape, kind in scipy.io.whosmat(path, appendmat=False)}
        if meta.RECORD in listed and WEIGHTS in listed:
            own = scipy.io.loadmat(path, variable_names=[WEIGHTS, meta.RECORD], appendmat=False)
            text = "".join(np.atleast_1d(own[meta.RECORD]))
            network = meta.restore_inside(sp.csr_array(own[WEIGHTS]), text, path)
            if network is not None:
                return network
        _refuse_objects(options.variable, {name: kind for name, (_, kind) in listed.items()}, path)
        shapes = {name: shape for name, (shape, kind) in listed.items() if kind in NUMERIC}
        name = chosen(shapes, options.variable, path)
        shape, kind = listed[name]
        if kind != "sparse":
            need(8.0 * shape[0] * shape[1], f"the matrix of {shape[0]} x {shape[1]} in {path}", "store it sparse")
        matrix = scipy.io.loadmat(path, variable_names=[name], appendmat=False, spmatrix=False)[name]
        if sp.issparse(matrix):
            matrix.check_format(full_check=True)
        return square(matrix, None, path, options, f"MATLAB, {name}", taking=("variable",))


def _read_version_7_3(path: Path, options: ReadOptions) -> Found:
    h5py = required("h5py", "hdf5", "MATLAB version 7.3")
    with understood(path, "MATLAB file of version 7.3"), h5py.File(path, "r") as file:
        kinds = {
            name: _text(file[name].attrs.get("MATLAB_class", b"struct"))
            for name in file
            if not name.startswith("#") and isinstance(file.get(name, getlink=True), h5py.HardLink)
        }
        _refuse_objects(options.variable, kinds, path)
        shapes = {name: _shape(file[name]) for name, kind in kinds.items() if kind in NUMERIC}
        name = chosen(shapes, options.variable, path)
        item = file[name]
        matrix: Any
        if isinstance(item, h5py.Group):
            n = int(item.attrs["MATLAB_sparse"])
            need(16.0 * item["data"].size, f"the matrix in {path}", "use a machine with more")
            matrix = sp.csc_array(tuple(values(item[part], path) for part in ("data", "ir", "jc")), shape=(n, n))
            matrix.check_format(full_check=True)
        else:
            matrix = dense(item, path).T  # MATLAB keeps columns together
        return square(matrix, None, path, options, f"MATLAB 7.3, {name}", taking=("variable",))


def _shape(item: Any) -> tuple[int, ...]:
    if "MATLAB_sparse" in item.attrs:  # rows there; columns by their pointers
        return int(item.attrs["MATLAB_sparse"]), item["jc"].size - 1
    return tuple(getattr(item, "shape", ()))


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _refuse_objects(variable: str | None, kinds: dict[str, str], path: Path) -> None:
    if variable is not None and kinds.get(variable, "double") not in NUMERIC:
        raise BadFile(
            f"{path}: {variable!r} is of MATLAB's class {kinds[variable]!r}, which is not loaded; a numeric matrix was "
            "expected: save it as one, full or sparse"
        )


def write_mat(network: Network, path: Path) -> None:
    """Write W sparse, with leak, noise, labels and the record as further variables."""
    variables = {
        WEIGHTS: sp.csc_array(network.weights.astype(np.float64)),
        "leak": network.leak[:, None],
        "noise_std": network.noise_std[:, None],
        meta.RECORD: meta.dumps(meta.describe(network)),
    }
    if network.labels is not None:
        variables["labels"] = np.array([str(x) for x in network.labels], dtype=object)[:, None]
    with path.open("wb") as file:
        scipy.io.savemat(file, variables, do_compression=True)
