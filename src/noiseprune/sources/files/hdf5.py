"""HDF5: matrices in compressed rows as AnnData and SciPy keep them, and dense ones; read with h5py.

=================================  ==========================================================================
what                               how it is recognised
=================================  ==========================================================================
CSR or CSC group                   ``data``, ``indices``, ``indptr``; attribute ``encoding-type`` tells which
dense matrix                       a square dataset of numbers
SONATA edges                       ``/edges/POPULATION/source_node_id``, see `noiseprune.sources.files.sonata`
=================================  ==========================================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from noiseprune.machine.memory import require_memory
from noiseprune.network import Network
from noiseprune.network.checks import check_sparse
from noiseprune.sources.files import metadata as meta
from noiseprune.sources.files.extras import require
from noiseprune.sources.files.found import Found
from noiseprune.sources.files.hdf5_parts import dense, new_file, record_in, values, write_rest
from noiseprune.sources.files.matrices import choose_matrix, naming_damage, take_square_or_stack
from noiseprune.sources.reading import ReadOptions

WEIGHTS = "weights"
OF_OBSERVATIONS = ("obsp/", "layers/")  # what AnnData names by its observations


def read_hdf5(path: Path, options: ReadOptions) -> Network | Found:
    """Read one matrix, or what `write_hdf5` wrote."""
    h5py = require("h5py", "hdf5", "HDF5")
    with naming_damage(path, "HDF5 file"), h5py.File(path, "r") as file:
        if "edges" in file and options.variable is None:
            from noiseprune.sources.files.sonata import read_edges

            return read_edges(file, path, options)
        text = record_in(file)
        if text is not None:
            network = meta.restore_inside(_sparse(file[WEIGHTS], path), text, path)
            if network is not None:
                return network
        found = dict(_matrices(file, path))
        name = choose_matrix(
            {name: _shape(item, path) for name, item in found.items()}, options.variable, path, stacks=True
        )
        item = found[name]
        matrix = _sparse(item, path) if isinstance(item, h5py.Group) else dense(item, path)
        labels = _labels(file, matrix.shape[0], path) if name == "X" or name.startswith(OF_OBSERVATIONS) else None
        return take_square_or_stack(matrix, labels, path, options, f"HDF5, {name}", name=name, taking=("variable",))


def _matrices(group: Any, path: Path, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Walk through what could be a square matrix; links out of the file are not followed."""
    import h5py

    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        item, at = group[name], f"{prefix}{name}"
        if isinstance(item, h5py.Group) and not {"data", "indices", "indptr"} <= set(item):
            yield from _matrices(item, path, f"{at}/")
        elif isinstance(item, h5py.Group) or item.dtype.kind in "biuf":
            yield at, item


def _shape(item: Any, path: Path) -> tuple[int, ...]:
    """Say how large a dataset is, or a group of compressed rows or columns; square where it does not say."""
    if hasattr(item, "shape"):
        return tuple(item.shape or ())  # None where a dataset is there and empty
    shape = item.attrs.get("shape", item.attrs.get("h5sparse_shape"))
    if shape is None and "shape" in item:
        shape = values(item["shape"], path)
    return (item["indptr"].size - 1,) * 2 if shape is None else tuple(int(x) for x in shape)


def _sparse(group: Any, path: Path) -> sp.csr_array:
    """Read compressed rows or columns, checked."""
    require_memory(16.0 * group["data"].size, f"the matrix in {path}", "use a machine with more")
    arrays = tuple(values(group[name], path) for name in ("data", "indices", "indptr"))
    columns = "csc" in str(group.attrs.get("encoding-type", group.attrs.get("h5sparse_format", "csr")))
    return sp.csr_array(check_sparse((sp.csc_array if columns else sp.csr_array)(arrays, shape=_shape(group, path))))


def _labels(file: Any, n: int, path: Path) -> list[int | str] | None:
    """Read the names of observations, which AnnData keeps beside its matrices."""
    if "obs" not in file or not hasattr(file["obs"], "attrs"):
        return None
    index = file["obs"].get(file["obs"].attrs.get("_index", "_index"))
    if index is None or index.shape != (n,):
        return None
    names = values(index, path)
    return [x.decode("utf-8") if isinstance(x, bytes) else int(x) for x in names.tolist()]


def write_hdf5(network: Network, path: Path) -> None:
    """Write W in compressed rows, as AnnData does, with leak, noise and the record beside it."""
    csr = network.weights
    with new_file(path, "HDF5") as file:
        group = file.create_group(WEIGHTS)
        group.attrs["encoding-type"] = "csr_matrix"
        group.attrs["encoding-version"] = "0.1.0"
        group.attrs["shape"] = np.array(csr.shape, dtype=np.int64)
        for name in ("data", "indices", "indptr"):
            group.create_dataset(name, data=getattr(csr, name), compression="gzip", shuffle=True)
        write_rest(file, network)
