"""read() and write() networks; what a file is, its suffix and its content tell.

=======================================  ===================================================================
``.csv .tsv .txt``                       edge list, or square matrix; comma, tab, semicolon or blanks
``.parquet .feather .arrow``             edge list
``.npz .npy .mtx .mat .h5 .h5ad``        SciPy, NumPy, Matrix Market, MATLAB, HDF5, AnnData
``.graphml .gml .gexf .net``             graphs, by NetworkX
``.zip``                                 connectivity of The Virtual Brain
``.pt .safetensors .nir``                models: one named matrix
``.sonata.h5 .brian2.py .nest.py``       simulators; scripts are written only
=======================================  ===================================================================

Text, ``.mtx`` and graphs may be gzipped; Arrow is read as a file, not as a stream. Formats without room for leak, noise
and labels have ``NAME.EXT.json`` beside them. A new format is one module and one line in `noiseprune.sources.files.formats`.
"""

from __future__ import annotations

import gzip
import inspect
import os
import shutil
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from noiseprune.errors import InvalidNetwork, InvalidOption
from noiseprune.machine.output import check_output, replacing
from noiseprune.network import Network
from noiseprune.sources.files import metadata as meta
from noiseprune.sources.files.formats import format_of
from noiseprune.sources.files.found import Found
from noiseprune.sources.files.labels import with_labels
from noiseprune.sources.files.sources import check_readable, readable_name
from noiseprune.sources.leak import as_network
from noiseprune.sources.reading import DECLARATIONS, LeakOptions, ReadOptions, is_given, read_options

__all__ = ["check_writable", "losses", "read", "read_sparing", "write"]


def read(path: str | os.PathLike[str], **options: Any) -> Network:
    """Read a network from a file, whatever people call their columns.

    Parameters
    ----------
    path : path
        The file; its suffix and content tell what it is.
    orientation : "pre-post" or "post-pre", optional
        For a square matrix: whether a row holds what a neuron sends or what it receives. Needed where the matrix is not
        symmetric and the file does not record it; models of PyTorch and NIR have post-pre by their convention.
    content : "weights", "operator" or "laplacian", optional
        For a square matrix: W, A = W - diag(leak), or a graph Laplacian, whose couplings are read. By default its diagonal
        tells the first two.
    base_leak, margin, gain
        The leak for weights that have none, by default "dominant"; see `noiseprune.sources.leak.with_base_leak`. `margin`
        (0.05) is for "dominant", `gain` (0.9) for a rate.
    variable : str, optional
        Which matrix, where a file holds several (.npz, .mat, HDF5, state_dict, safetensors; a field of a MATLAB struct is
        named ``struct.field``); which population of edges of SONATA, node of a NIR graph, graph of GraphML.
    pre, post, weight, transmitter_column : str, optional
        Columns of an edge list, where their names are not known ones; `weight` also an attribute of a graph's edges.
    threshold : float, optional
        Connections whose rows sum to less are dropped, e.g. 5 synapses.
    where : str, mapping or sequence of these
        Rows of an edge list to keep: "COLUMN=VALUE,VALUE"; all conditions must hold.
    electrical : str, mapping or sequence of these
        Rows that are electrical synapses. A pair listed twice is one junction (unequal counts: their mean), listed once
        it is completed.
    inhibitory : str or sequence of str
        Transmitters whose synapses are negative: whole names, or parts between underscores.
    signs : mapping, str or path, optional
        The sign of every transmitter, 1, -1 or 0 (such rows are dropped): {"ACH": 1, "GABA": -1}, "ACH=1,GABA=-1", or a
        table of two columns. Rows without a transmitter are called "none".
    decimal_comma : bool
        Whether numbers in text are written 0,5.
    no_header : bool
        Whether the first row of a table is data; `pre`, `post` and `weight` are then numbers of columns, from 1.
    undirected : bool
        Whether a row of an edge list stands for both directions, each pair being listed once.
    symmetrise : bool
        Whether a square matrix is replaced by its symmetric part, (W + W^T) / 2.
    sheet : str, optional
        Which sheet of a spreadsheet, by its name or its number from 1; by default the only one.
    index, mean : int, bool
        Which matrix of a stack of matrices (an array with three axes), from 0, or whether their mean is taken.
    labels : path or sequence, optional
        Names of the neurons, for a square matrix without: a file with one name a line, or the names.
    edge_types : path, optional
        SONATA's table of edge types, where it is not found beside the file.

    Returns
    -------
    Network
        ``origin`` says what was found: rows summed, dropped, completed, signs, the leak that was made.

    Raises
    ------
    BadFile
        With path, line or key.
    InvalidNetwork, InvalidOption
        Where what the file holds is no network, or the options do not fit it.
    MissingExtra
        Where the format needs a library that is not installed.
    """
    reading, leak = read_options(options)
    found = _find(Path(path), reading)
    if isinstance(found, Network):
        leak.refuse("the file records its own leak")
        reading.allow((), f"noiseprune wrote {path} and it records everything")
    return _completed(Path(path), found, leak)


# the options stand in one declaration; people and tools see them here
_parameters = [
    inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=f.type)
    for declaration in DECLARATIONS
    for f in fields(declaration)
]
_path, *_ = inspect.signature(read).parameters.values()
read.__signature__ = inspect.Signature([_path, *_parameters], return_annotation=Network)  # type: ignore[attr-defined]


def read_sparing(path: str | os.PathLike[str], **options: Any) -> Network:
    """Read as `read` does; where noiseprune wrote the file, the options are not needed and not used."""
    reading, leak = read_options(options)
    return _completed(Path(path), _find(Path(path), reading), leak)


def _find(path: Path, given: ReadOptions) -> Network | Found:
    """Read what a file holds: a whole network where noiseprune wrote it, else a matrix."""
    form = format_of(path)
    check_readable(path)
    options = replace(given, labels=None)  # which any matrix may be given, below
    try:
        found: Network | Found
        found = form.reader()(path, options) if form.inside else form.reader()(path, options, meta.read_sidecar(path))
        if isinstance(found, Found) and is_given(given.labels):
            return with_labels(found, given.labels, path)
        return found
    except InvalidNetwork as error:
        raise InvalidNetwork(f"{path}: {error}") from None


def _completed(path: Path, found: Network | Found, given: LeakOptions) -> Network:
    """Give a matrix its leak; a table holds weights, a matrix tells by its diagonal."""
    if isinstance(found, Network):
        return found
    origin = {"file": readable_name(path), **found.counts}
    if found.leak is not None:
        given.refuse(f"{path} holds a leak")
        return Network(found.matrix, found.leak, labels=found.labels, origin=origin)
    leak, content = given.base_leak, given.content or found.content
    bare = not found.matrix.diagonal().any()
    if content in ("operator", "laplacian") and found.content == "weights" and bare:
        raise InvalidOption(
            f"{path} holds weights, with nothing on the diagonal that could be a leak: leave content out"
        )
    if leak is None and content != "operator" and (content in ("weights", "laplacian") or bare):
        leak = "dominant"
    try:
        return as_network(
            found.matrix,
            content=content,
            base_leak=leak,
            margin=given.margin,
            gain=given.gain,
            labels=found.labels,
            origin=origin,
            copy=False,
        )
    except InvalidNetwork as error:
        raise InvalidNetwork(f"{path}: {error}") from None


def check_writable(path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Raise `BadFile` where `write` could not write `path`, before any work is done."""
    for each in files_of(path):
        check_output(each, overwrite=overwrite)


def files_of(path: str | os.PathLike[str]) -> list[Path]:
    """Return the files that `write` makes for `path`: itself, and those that belong beside it."""
    path = Path(path)
    form = format_of(path, writing=True)
    beside = [] if form.inside else [meta.sidecar(path)]
    return [path, *beside, *([path.with_suffix(form.companion)] if form.companion else [])]


def losses(path: str | os.PathLike[str]) -> str:
    """Say what a file of this name cannot carry of a network; empty where it carries all."""
    return format_of(Path(path), writing=True).loses


def write(network: Network, path: str | os.PathLike[str], overwrite: bool = False) -> None:
    """Write a network so that `read` gives the same one back.

    Parameters
    ----------
    network : Network
        What to write.
    path : path
        The suffix tells the format: ``.csv .tsv .txt .parquet .feather`` (a table ``pre,post,weight``), ``.npz .npy .mtx .mat
        .h5 .sonata.h5``, ``.graphml .gml``, ``.safetensors .nir``, and the scripts ``.brian2.py .nest.py``, which are not
        read back. Where a format has no room for it, leak, noise and labels go into ``NAME.EXT.json`` beside it.
    overwrite : bool
        Whether files that exist are replaced.

    Raises
    ------
    BadFile
        Where the suffix is unknown, the file exists, or it cannot be written.
    MissingExtra
        Where the format needs a library that is not installed.
    InvalidNetwork
        Where it is no Network, or the format cannot carry its labels.
    """
    if not isinstance(network, Network):
        raise InvalidNetwork(
            f"write takes a Network; got a {type(network).__name__}: make one with Network.from_matrix"
        )
    path = Path(path)
    form = format_of(path, writing=True)
    check_writable(path, overwrite=overwrite)
    with replacing(path, overwrite=overwrite) as temporary:
        form.writer()(network, temporary)
        if path.name.lower().endswith(".gz"):
            _compress(temporary)
        # what stands beside it first: data beside an old record would be read without its leak, silently another network
        if not form.inside:
            record = {**meta.describe(network), "data_sha256": meta.digest(temporary)}
            with replacing(meta.sidecar(path), overwrite=overwrite) as beside:
                beside.write_text(meta.dumps(record), encoding="utf-8")
        if form.companion:
            from noiseprune.sources.files.simulators import write_arrays

            with replacing(path.with_suffix(form.companion), overwrite=overwrite) as beside:
                write_arrays(network, beside)


def _compress(path: Path) -> None:
    """Gzip a file in its place; the same content gives the same bytes."""
    packed = path.with_name(path.name + ".gz")
    try:
        with (
            path.open("rb") as source,
            packed.open("wb") as raw,
            gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as target,
        ):
            shutil.copyfileobj(source, target)
        os.replace(packed, path)
    finally:
        packed.unlink(missing_ok=True)
