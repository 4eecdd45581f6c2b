"""MATLAB: files up to version 7 by SciPy, version 7.3 (which is HDF5) by h5py. Objects are never loaded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
import scipy.sparse as sp

from noiseprune.errors import BadFile
from noiseprune.machine.memory import require_memory
from noiseprune.network import Network
from noiseprune.network.checks import check_sparse
from noiseprune.sources.files import metadata as meta
from noiseprune.sources.files.extras import require
from noiseprune.sources.files.found import Found
from noiseprune.sources.files.hdf5_parts import dense, values
from noiseprune.sources.files.matrices import choose_matrix, find_names, naming_damage, stack_axis, take_square_or_stack
from noiseprune.sources.reading import ReadOptions

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
    with naming_damage(path, "MATLAB file"):
        listed = {name: (shape, kind) for name, shape, kind in scipy.io.whosmat(path, appendmat=False)}
        ours = meta.RECORD in listed and WEIGHTS in listed
        if ours:
            own = _loaded(path, [WEIGHTS, meta.RECORD])
            text = "".join(np.atleast_1d(own[meta.RECORD]))
            network = meta.restore_inside(sp.csr_array(check_sparse(own[WEIGHTS])), text, path)
            if network is not None:
                return network
        _refuse_objects(options.variable, {name: kind for name, (_, kind) in listed.items()}, path)
        shapes = {name: shape for name, (shape, kind) in listed.items() if kind in NUMERIC}
        inside = {}
        if _only_inside(shapes, options.variable):
            structs = [name for name, (_, kind) in listed.items() if kind == "struct"]
            inside = {name: x for struct, found in _loaded(path, structs).items() for name, x in _fields(found, struct)}
            shapes |= {name: x.shape for name, x in inside.items() if x.dtype.kind in "buifc"}
        name = choose_matrix(shapes, options.variable, path, stacks=True)
        if name in inside:
            matrix = inside[name]
        else:
            shape, kind = listed[name]
            if kind != "sparse":
                size = " x ".join(map(str, shape))
                require_memory(8.0 * math.prod(shape), f"the matrix of {size} in {path}", "store it sparse")
            matrix = _loaded(path, [name])[name]
        what = f"MATLAB, {name}"
        found = take_square_or_stack(
            check_sparse(matrix), None, path, options, what, name=name, taking=("variable",), last=True
        )
        texts = [name for name, (_, kind) in listed.items() if kind in ("cell", "char")] if not ours else []
        beside = {**_loaded(path, texts), **inside}
        return _named(found, {name: _strings(x) for name, x in beside.items() if x.dtype.kind in "UO"})


def _loaded(path: Path, names: list[str]) -> dict[str, Any]:
    """Read variables; without `spmatrix=False` SciPy would convert sparse ones before anybody could check them."""
    found = scipy.io.loadmat(path, variable_names=names, appendmat=False, spmatrix=False) if names else {}
    return {name: found[name] for name in names}


def _only_inside(shapes: dict[str, tuple[int, ...]], wanted: str | None) -> bool:
    """Whether the matrix is to be looked for in the fields of structs: where it is named so, or nothing else is there."""
    if wanted is not None:
        return wanted not in shapes
    return not any(stack_axis(x) is not None or (len(x) == 2 and x[0] == x[1] > 1) for x in shapes.values())


def _fields(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Walk through a struct, as MATLAB names its parts; counted from 1 where it is an array of structs."""
    if sp.issparse(value) or (isinstance(value, np.ndarray) and value.dtype.names is None):
        yield name, value
    elif isinstance(value, np.ndarray):
        for k, element in enumerate(value.ravel(order="F")):
            at = name if value.size == 1 else f"{name}({k + 1})"
            for field in value.dtype.names or ():
                yield from _fields(element[field], f"{at}.{field}")


def _strings(value: Any) -> list[str]:
    """Return the strings of a cell array or the rows of a character matrix; none where they are not all strings."""
    if value.dtype.kind == "U":
        return [str(x).strip() for x in value.ravel()]
    cells = [np.asarray(x) for x in value.ravel(order="F")]
    if any(cell.dtype.kind != "U" or cell.size > 1 for cell in cells):
        return []
    return ["".join(cell.ravel()).strip() for cell in cells]


def _named(found: Found, texts: dict[str, list[str]]) -> Found:
    labels, counts = find_names(texts, found.matrix.shape[0])
    return replace(found, labels=labels, counts=found.counts | counts)


def _read_version_7_3(path: Path, options: ReadOptions) -> Found:
    h5py = require("h5py", "hdf5", "MATLAB version 7.3")
    with naming_damage(path, "MATLAB file of version 7.3"), h5py.File(path, "r") as file:
        items = {name: file[name] for name in _members(file) if not name.startswith("#")}
        kinds = {name: _text(item.attrs.get("MATLAB_class", b"struct")) for name, item in items.items()}
        _refuse_objects(options.variable, kinds, path)
        shapes = {name: _shape(items[name]) for name, kind in kinds.items() if kind in NUMERIC}
        if _only_inside(shapes, options.variable):
            for struct in [name for name, kind in kinds.items() if kind == "struct"]:
                items |= dict(_walk(items[struct], struct))
            shapes = {name: _shape(item) for name, item in items.items() if _is_numeric(item)}
        name = choose_matrix(shapes, options.variable, path, stacks=True)
        item = items[name]
        # MATLAB keeps columns together
        matrix = _sparse(item, path) if isinstance(item, h5py.Group) else dense(item, path).T
        what = f"MATLAB 7.3, {name}"
        found = take_square_or_stack(matrix, None, path, options, what, name=name, taking=("variable",), last=True)
        texts = {k: item for k, item in items.items() if _text(item.attrs.get("MATLAB_class", b"")) in ("cell", "char")}
        return _named(found, {k: _strings_of(file, item, found.matrix.shape[0], path) for k, item in texts.items()})


def _members(group: Any) -> list[str]:
    """Name what is inside a group; links out of the file are not followed."""
    import h5py

    return [name for name in group if isinstance(group.get(name, getlink=True), h5py.HardLink)]


def _walk(item: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Walk through a struct of version 7.3."""
    if hasattr(item, "shape") or "MATLAB_sparse" in item.attrs:
        yield name, item
    else:
        for field in _members(item):
            yield from _walk(item[field], f"{name}.{field}")


def _is_numeric(item: Any) -> bool:
    return _text(item.attrs.get("MATLAB_class", b"")) in NUMERIC


def _sparse(group: Any, path: Path) -> Any:
    """Read a sparse matrix of version 7.3, which has pointers alone where it is all zero."""
    shape = _shape(group)
    if "data" not in group and "ir" not in group:
        require_memory(8.0 * shape[1], f"the matrix of {shape[0]} x {shape[1]} in {path}", "use a machine with more")
        return sp.csc_array(shape)
    require_memory(16.0 * group["data"].size, f"the matrix in {path}", "use a machine with more")
    return check_sparse(sp.csc_array(tuple(values(group[part], path) for part in ("data", "ir", "jc")), shape=shape))


def _strings_of(file: Any, item: Any, n: int, path: Path) -> list[str]:
    """Return the n strings of a cell array, which holds references, or of a character matrix; none where it holds others."""
    import h5py

    def text(dataset: Any) -> str:
        return "".join(chr(x) for x in values(dataset, path).ravel()).strip() if dataset.dtype.kind == "u" else ""

    if not isinstance(item, h5py.Dataset) or n not in item.shape:
        return []
    if item.dtype.kind == "u":
        return ["".join(map(chr, column)).strip() for column in values(item, path).T.tolist()] if item.ndim == 2 else []
    cells = [file[reference] for reference in values(item, path).ravel() if reference]
    return [text(cell) if isinstance(cell, h5py.Dataset) else "" for cell in cells]


def _shape(item: Any) -> tuple[int, ...]:
    if "MATLAB_sparse" in item.attrs:  # rows there; columns by their pointers
        return int(item.attrs["MATLAB_sparse"]), item["jc"].size - 1
    return tuple(getattr(item, "shape", None) or ())[::-1]  # MATLAB keeps columns together


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _refuse_objects(variable: str | None, kinds: dict[str, str], path: Path) -> None:
    if variable is not None and kinds.get(variable, "double") not in (*NUMERIC, "struct"):
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
