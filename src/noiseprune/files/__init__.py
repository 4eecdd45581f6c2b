"""read() and write() networks; what a file is, its suffix and its content tell.

======================================  ==================================================================
``.csv .tsv .txt`` (also with ``.gz``)  edge list, or square matrix; comma, tab, semicolon or blanks
``.npz``                                SciPy's ``save_npz`` layout of W, with the rest of the network inside
``.npy``                                dense matrix
``.mtx`` (also with ``.gz``)            Matrix Market
======================================  ==================================================================

Formats without room for leak, noise and labels have ``NAME.EXT.json`` beside them.
"""

from __future__ import annotations

import gzip
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from noiseprune.errors import BadFile, InvalidNetwork, InvalidOption
from noiseprune.files import metadata as meta
from noiseprune.files.output import check_output, replacing
from noiseprune.files.results import load
from noiseprune.files.tables import Condition, TableOptions, column_role, edge_list
from noiseprune.intake import GAIN, MARGIN, BaseLeak, Content, as_network
from noiseprune.linalg.memory import need
from noiseprune.network import Network

__all__ = ["check_writable", "load", "read", "records_everything", "write"]

TEXT = {".csv": ",", ".tsv": "\t", ".txt": "\t"}  # what separates columns when we write
READABLE = (*TEXT, ".npz", ".npy", ".mtx")


def read(
    path: str | os.PathLike[str],
    *,
    orientation: str | None = None,
    content: Content | None = None,
    base_leak: BaseLeak | None = None,
    margin: float = MARGIN,
    gain: float = GAIN,
    pre: str | None = None,
    post: str | None = None,
    weight: str | None = None,
    transmitter_column: str | None = None,
    where: Condition | Sequence[Condition] = (),
    symmetric_rows: Condition | Sequence[Condition] = (),
    inhibitory: str | Sequence[str] = (),
) -> Network:
    """Read a network from a file, whatever people call their columns.

    Parameters
    ----------
    path : path
        The file; its suffix and content tell what it is.
    orientation : "pre-post" or "post-pre", optional
        For a square matrix: whether a row holds what a neuron sends or what it receives. Needed where the matrix is not
        symmetric and the file does not record it.
    content : "weights" or "operator", optional
        For a square matrix: W, or A = W - diag(leak). By default its diagonal tells.
    base_leak, margin, gain
        The leak for weights that have none, by default "dominant"; see `noiseprune.with_base_leak`.
    pre, post, weight, transmitter_column : str, optional
        Columns of an edge list, where their names are not known ones.
    where : str, mapping or sequence of these
        Rows of an edge list to keep: "COLUMN=VALUE,VALUE"; all conditions must hold.
    symmetric_rows : str, mapping or sequence of these
        Rows that are electrical synapses. A pair listed twice is one junction (unequal counts: their mean), listed once
        it is completed.
    inhibitory : str or sequence of str
        Transmitters whose synapses are negative: whole names, or parts between underscores.

    Returns
    -------
    Network
        ``origin`` says what was found: rows summed, dropped, completed, signs, the leak that was made.

    Raises
    ------
    BadFile
        With path, line and column.
    InvalidNetwork, InvalidOption
        Where what the file holds is no network, or the options do not fit it.
    """
    path = Path(path)
    options = TableOptions(pre, post, weight, transmitter_column, where, symmetric_rows, inhibitory)
    suffix = _suffix(path)
    try:
        found = _read(path, suffix, orientation, options)
        if isinstance(found, Network):
            if base_leak is not None or content is not None:
                raise InvalidOption("the file records its own leak: leave base_leak and content out")
            return found
        matrix, labels, counts = found
        # a table holds weights; a matrix tells by its diagonal, whose zeros mean that a leak must be made
        leak = base_leak
        if leak is None and (content == "weights" or not matrix.diagonal().any()):
            leak = "dominant"
        origin = {"file": path.name, **counts}
        return as_network(
            matrix, content=content, base_leak=leak, margin=margin, gain=gain, labels=labels, origin=origin
        )
    except InvalidNetwork as error:
        raise InvalidNetwork(f"{path}: {error}") from None


Found = Network | tuple[Any, list[int | str] | None, dict[str, Any]]


def _read(path: Path, suffix: str, orientation: str | None, options: TableOptions) -> Found:
    """Return a whole network, or a matrix (post, pre) with labels and what was counted."""
    from noiseprune.files import matrices, text

    data = text.read_bytes(path)
    if suffix == ".npz":
        found = matrices.read_npz(data, path)
        if isinstance(found, Network):
            _refuse(options, orientation)
            return found
        return _matrix(found, None, path, suffix, orientation, options)
    metadata = meta.read_sidecar(path)
    if metadata is not None:
        _refuse(options, orientation)
        return meta.restore(_own_weights(data, suffix, metadata, path), metadata, path)
    if suffix == ".npy":
        return _matrix(matrices.read_npy(data, path), None, path, suffix, orientation, options)
    if suffix == ".mtx":
        return _matrix(matrices.read_mtx(data, path), None, path, suffix, orientation, options)
    table = text.parse(data, path)
    named = any(column_role(name or "") in ("pre", "post") for name in table.cells.row(0))
    square = None if named or options.given() else matrices.text_matrix(table, path)
    if square is not None:
        return _matrix(*square, path, suffix, orientation, options)
    if not (named or options.given()) and not _looks_headerless(table.cells):
        raise BadFile(
            f"{path}: is neither a square matrix ({table.cells.height} rows, {table.cells.width} columns) nor an edge list "
            f"(no column called pre, source, origin or from in {', '.join(map(repr, table.cells.row(0)[:6]))}): name the "
            "columns with --pre and --post"
        )
    if orientation is not None:
        raise InvalidOption("orientation is for square matrices; an edge list says pre and post by its columns")
    return edge_list(table, path, options)


def _matrix(
    matrix: Any,
    labels: list[int | str] | None,
    path: Path,
    suffix: str,
    orientation: str | None,
    options: TableOptions,
) -> Found:
    if options.given():
        raise InvalidOption(f"{', '.join(options.given())} belong to edge lists, and this is a square matrix")
    from noiseprune.files.matrices import oriented

    counts = {"format": f"square matrix ({suffix})", "orientation": orientation or "symmetric"}
    return oriented(matrix, orientation, path), labels, counts


def _looks_headerless(cells: Any) -> bool:
    """Whether the first row is already a synapse: two ids, and a number where there is a third column."""
    first = cells.row(0)
    if len(first) == 2:
        return all(cell and cell.lstrip("-").isdigit() for cell in first)
    try:
        return len(first) == 3 and float(first[2] or "") != 0
    except ValueError:
        return False


def _refuse(options: TableOptions, orientation: str | None) -> None:
    given = options.given() + (["orientation"] if orientation else [])
    if given:
        raise InvalidOption(f"noiseprune wrote this file and it records everything: leave out {', '.join(given)}")


def _own_weights(data: bytes, suffix: str, metadata: meta.Metadata, path: Path) -> sp.csr_array:
    """Read the weights (post, pre) of a file that we wrote, ids to the letter."""
    from noiseprune.files import matrices

    if suffix == ".npy":
        return sp.csr_array(matrices.read_npy(data, path))
    if suffix == ".mtx":
        return sp.csr_array(matrices.read_mtx(data, path))
    import polars as pl

    labels = meta.labels_of(metadata, path)
    n = int(metadata["n_neurons"]) if labels is None else len(labels)
    names = [str(x) for x in (range(n) if labels is None else labels)]
    number = pl.DataFrame({"id": names, "number": np.arange(n)}, schema={"id": pl.String, "number": pl.Int64})
    table = pl.read_csv(io.BytesIO(data), separator=TEXT[suffix], infer_schema=False)
    pre, post = (
        table.select(pl.col(name).alias("id")).join(number, on="id", how="left", maintain_order="left")["number"]
        for name in ("pre", "post")
    )
    if pre.null_count() or post.null_count():
        raise BadFile(f"{path}: holds ids that its record {meta.sidecar(path).name} does not list")
    weight = table["weight"].cast(pl.Float64).to_numpy()
    return sp.csr_array((weight, (post.to_numpy(), pre.to_numpy())), shape=(n, n))


def records_everything(path: str | os.PathLike[str]) -> bool:
    """Whether noiseprune wrote this file and its record is there, so that reading it takes no options."""
    path = Path(path)
    if path.suffix == ".npz" and path.is_file():
        from noiseprune.files import matrices

        return isinstance(matrices.read_npz(path.read_bytes(), path), Network)
    return meta.sidecar(path).is_file()


def check_writable(path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Raise `BadFile` where `write` could not write `path`, before any work is done."""
    path = check_output(path, overwrite=overwrite)
    if _suffix(path) != ".npz":
        check_output(meta.sidecar(path), overwrite=overwrite)


def write(network: Network, path: str | os.PathLike[str], overwrite: bool = False) -> None:
    """Write a network so that `read` gives the same one back.

    Parameters
    ----------
    network : Network
        What to write.
    path : path
        ``.csv .tsv .txt`` (``.gz``): a table ``pre,post,weight``; ``.npz``: SciPy sparse; ``.npy``: dense (post, pre);
        ``.mtx`` (``.gz``): Matrix Market. All but ``.npz`` get ``NAME.EXT.json`` beside them.
    overwrite : bool
        Whether files that exist are replaced.

    Raises
    ------
    BadFile
        Where the suffix is unknown, the file exists, or it cannot be written.
    """
    if not isinstance(network, Network):
        raise InvalidNetwork(
            f"write takes a Network; got a {type(network).__name__}: make one with Network.from_matrix"
        )
    path = Path(path)
    suffix = _suffix(path)
    check_writable(path, overwrite=overwrite)
    if suffix == ".npz":
        from noiseprune.files.matrices import npz_arrays

        with replacing(path, overwrite=overwrite) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **npz_arrays(network))
        return
    data = _encode(network, suffix)
    if path.name.endswith(".gz"):
        data = gzip.compress(data, mtime=0)
    record = {**meta.describe(network), "data_sha256": meta.digest(data)}
    # the record first: data beside an old record would be read without its leak, and be silently another network
    with replacing(meta.sidecar(path), overwrite=overwrite) as temporary:
        temporary.write_text(meta.dumps(record), encoding="utf-8")
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(data)


def _encode(network: Network, suffix: str) -> bytes:
    buffer = io.BytesIO()
    if suffix == ".npy":
        n = network.n_neurons
        need(8.0 * n * n, f"a dense matrix of {n} neurons", "write .npz instead")
        np.save(buffer, network.weights.toarray(), allow_pickle=False)
    elif suffix == ".mtx":
        import scipy.io

        # no precision given: the shortest text that reads back as the same number
        scipy.io.mmwrite(buffer, network.weights, symmetry="general")
    else:
        import polars as pl

        post, pre, weight = network.synapses
        labels = pl.Series("label", range(network.n_neurons) if network.labels is None else network.labels)
        table = pl.DataFrame({"pre": labels.gather(pre), "post": labels.gather(post), "weight": weight})
        table.write_csv(buffer, separator=TEXT[suffix])
    return buffer.getvalue()


def _suffix(path: Path) -> str:
    """Return the suffix that tells the format, without a final ``.gz``."""
    name = path.name.lower()
    suffix = Path(name.removesuffix(".gz")).suffix
    if suffix not in READABLE or name.endswith((".npz.gz", ".npy.gz")):
        raise BadFile(
            f"{path}: unknown suffix {path.suffix!r}; known are {', '.join(READABLE)} (text and .mtx also with .gz)"
        )
    return suffix
