"""The formats that we know: what they are called, who reads and writes them, what they hold."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noiseprune.errors import BadFile
from noiseprune.machine.processes import with_polars

# Modules that never call polars, and so read and write in a forked process too.
WITHOUT_POLARS = ("graph_files", "hdf5", "matlab", "matrices", "models", "nir_files", "simulators", "sonata")


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes
    ----------
    name : str
        What people call it.
    suffixes : tuple of str
        How its files end, small letters.
    module : str
        Where ``read_x`` and ``write_x`` are, imported when they are used.
    reads, writes : str or None
        The functions ``(path, options) -> Network | Found``, with the record beside the file as a third argument where
        there is no room `inside`, and ``(network, path) -> None``.
    inside : bool
        Whether a file that we write has room for leak, noise, labels and provenance; else they stand beside it.
    compressible : bool
        Whether it may end in ``.gz`` as well.
    loses : str
        What a file that we write cannot carry, for a person.
    companion : str or None
        Suffix of a second file that is written with it.
    """

    name: str
    suffixes: tuple[str, ...]
    module: str
    reads: str | None
    writes: str | None
    inside: bool = True
    compressible: bool = False
    loses: str = ""
    companion: str | None = None

    def reader(self) -> Callable[..., Any]:
        """Import the function that reads."""
        return self._function(self.reads)

    def writer(self) -> Callable[..., None]:
        """Import the function that writes."""
        return self._function(self.writes)

    def _function(self, name: str | None) -> Any:
        function = getattr(importlib.import_module(f"noiseprune.sources.files.{self.module}"), str(name))
        return function if self.module in WITHOUT_POLARS else with_polars(function)


ONLY_ARRAYS = "labels and provenance (the arrays i, j, w, leak and noise_std are all there is)"
FOR_NOISEPRUNE = (
    "noise, activation and labels to other programs, which read weights and leak only (noiseprune reads all)"
)

FORMATS = (
    Format("comma-separated text", (".csv",), "text_files", "read_text", "write_csv", inside=False, compressible=True),
    Format("tab-separated text", (".tsv", ".txt"), "text_files", "read_text", "write_tsv", False, compressible=True),
    Format("text", (".edgelist", ".edges", ".dat"), "text_files", "read_text", None, False, compressible=True),
    Format("Excel", (".xlsx", ".xlsm", ".xlsb", ".xls"), "excel", "read_excel", None),
    Format("Parquet", (".parquet", ".pq"), "arrow_files", "read_parquet", "write_parquet"),
    Format("Arrow (Feather)", (".feather", ".arrow", ".ipc"), "arrow_files", "read_arrow", "write_arrow", inside=False),
    Format("SciPy sparse", (".npz",), "matrices", "read_npz", "write_npz"),
    Format("NumPy array", (".npy",), "matrices", "read_npy", "write_npy", inside=False),
    Format("Matrix Market", (".mtx",), "matrices", "read_mtx", "write_mtx", inside=False, compressible=True),
    Format("MATLAB", (".mat",), "matlab", "read_mat", "write_mat"),
    Format("SONATA edges", (".sonata.h5",), "sonata", "read_sonata", "write_sonata"),
    Format("HDF5", (".h5", ".hdf5"), "hdf5", "read_hdf5", "write_hdf5"),
    Format("AnnData", (".h5ad",), "hdf5", "read_hdf5", None),
    Format("GraphML", (".graphml",), "graph_files", "read_graphml", "write_graphml", compressible=True),
    Format("GML", (".gml",), "graph_files", "read_gml", "write_gml", compressible=True),
    Format("GEXF", (".gexf",), "graph_files", "read_gexf", None, compressible=True),
    Format("Pajek", (".net",), "graph_files", "read_pajek", None, compressible=True),
    Format("connectivity of The Virtual Brain", (".zip",), "tvb", "read_tvb", None),
    Format("PyTorch state_dict", (".pt", ".pth"), "models", "read_state_dict", None),
    Format("safetensors", (".safetensors",), "models", "read_safetensors", "write_safetensors"),
    Format("NIR", (".nir",), "nir_files", "read_nir", "write_nir", loses=FOR_NOISEPRUNE),
    Format("Brian2 script", (".brian2.py",), "simulators", None, "write_brian2", loses=ONLY_ARRAYS, companion=".npz"),
    Format("NEST script", (".nest.py",), "simulators", None, "write_nest", loses=ONLY_ARRAYS, companion=".npz"),
)


def format_of(path: Path, *, writing: bool = False) -> Format:
    """Find the format that a file's name tells.

    Raises
    ------
    BadFile
        Where the suffix is unknown, or the format cannot be read, or written.
    """
    name = path.name.lower()
    bare = name.removesuffix(".gz")
    found = next((f for f in FORMATS if bare.endswith(f.suffixes)), None)
    can = [f for f in FORMATS if (f.writes if writing else f.reads)]
    known = ", ".join(suffix for f in can for suffix in f.suffixes)
    if name == "-":
        raise BadFile(
            f"standard input is not {'written' if writing else 'read'}: name a file; known suffixes are {known}"
        )
    if found is None or (bare != name and not found.compressible):
        raise BadFile(
            f"{path}: unknown suffix {path.suffix!r}; known are {known} (text, .mtx and graphs also with .gz)"
        )
    if found not in can:
        what = "is read and not written" if writing else "is written and not read"
        raise BadFile(f"{path}: {found.name} {what}; choose one of {known}")
    return found
