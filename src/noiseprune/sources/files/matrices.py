"""Square matrices: what all have in common, and text, NumPy, SciPy sparse, Matrix Market."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import scipy.io
import scipy.sparse as sp

from noiseprune.errors import BadFile, InvalidNetwork, InvalidOption, NoisePruneError
from noiseprune.machine.memory import require_memory
from noiseprune.network import Network
from noiseprune.network.checks import check_sparse, square_matrix
from noiseprune.network.links import NEARLY_SYMMETRIC, is_symmetric
from noiseprune.sources.files import metadata as meta
from noiseprune.sources.files.found import Found, with_points
from noiseprune.sources.files.sources import read_bytes
from noiseprune.sources.files.text import Cells
from noiseprune.sources.reading import ReadOptions

ORIENTATIONS = ("pre-post", "post-pre")
INTEGER = re.compile(r"0|-?[1-9]\d*", re.ASCII)
DECIMAL_COMMA = re.compile(r"-?\d*,\d+(?:[eE][-+]?\d+)?", re.ASCII)


@contextlib.contextmanager
def naming_damage(path: Path, what: str) -> Iterator[None]:
    """Turn whatever a library raises on a damaged file into one error that names it.

    Parameters
    ----------
    path : Path
        The file.
    what : str
        What it should be, for the message.

    Raises
    ------
    BadFile
        Where the block raised anything but an error of ours or an interrupt.
    """
    try:
        yield
    except NoisePruneError:
        raise
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # zipfile, zlib, NumPy's header parser and SciPy each have their own; polars panics
        reason = " ".join(str(error).split()) or type(error).__name__
        if "pickle" in reason:
            reason = "it is damaged, or holds Python objects, which are never loaded"
        raise BadFile(
            f"{path}: is no readable {what}: {reason[:200]}: check that it was copied whole, or write it again"
        ) from None


def orient(matrix: Any, orientation: str | None, path: Path) -> sp.csr_array:
    """Bring a matrix into (post, pre) order; refuse to guess where it makes a difference.

    Parameters
    ----------
    matrix : (n_neurons, n_neurons) array or SciPy sparse
        As it stood in the file.
    orientation : "pre-post", "post-pre" or None
        Whether a row holds what a neuron sends or what it receives; None where nobody said.
    path : Path
        The file, for the messages.

    Returns
    -------
    (n_neurons, n_neurons) csr_array
        Rows post, columns pre.

    Raises
    ------
    InvalidOption
        Where `orientation` is something else.
    BadFile
        Where the matrix is not square, finite and real, or is not symmetric and nobody said.
    """
    if orientation not in (None, *ORIENTATIONS):
        raise InvalidOption(f"orientation must be pre-post (rows send) or post-pre (rows receive); got {orientation!r}")
    try:
        csr = square_matrix(matrix, "the matrix")
    except InvalidNetwork as error:
        raise BadFile(f"{path}: {error}") from None
    if orientation == "pre-post":
        return csr.T.tocsr()
    if orientation is None and not is_symmetric(csr):
        largest, difference = float(np.abs(csr.data).max()), _asymmetry(csr)
        nearly = (
            f"; the two directions differ by {difference:.2g} at most, so perhaps symmetrise=True, which averages them"
            if difference <= NEARLY_SYMMETRIC * largest
            else ""
        )
        raise BadFile(
            f"{path}: the matrix is not symmetric and does not say which way it runs: give "
            f'orientation="pre-post" (a row holds what a neuron sends) or "post-pre" (a row holds what it receives){nearly}'
        )
    return csr


def _asymmetry(matrix: sp.csr_array) -> float:
    """Return the largest |W_ij - W_ji|."""
    return float(np.max(np.abs((matrix - matrix.T).data), initial=0.0))


def take_square(
    matrix: Any,
    labels: list[int | str] | None,
    path: Path,
    options: ReadOptions,
    what: str,
    *,
    taking: tuple[str, ...] = (),
    oblong: bool = False,
) -> Found:
    """Take a square matrix as found, in (post, pre) order.

    Parameters
    ----------
    matrix : (n_neurons, n_neurons) array or SciPy sparse
        As it stood in the file.
    labels : list of int or str, or None
        One name a neuron.
    path : Path
        The file.
    options : ReadOptions
        What the user said of it.
    what : str
        What kind of file it is, for messages and counts.
    taking : tuple of str
        Options that make sense here beside the orientation and --symmetrise.
    oblong : bool
        Whether rows had other neurons than columns, so that the orientation matters even where the matrix is symmetric.

    Returns
    -------
    Found
        The matrix, its labels and what was found.

    Raises
    ------
    InvalidOption
        Where options contradict each other, or are for other files.
    BadFile
        As of `orient`.
    """
    options.allow(("orientation", "symmetrise", *taking), f"{path} holds a square matrix ({what}), not an edge list")
    counts: dict[str, Any] = {"format": f"square matrix ({what})"}
    matrix, without_number = _with_finite_diagonal(matrix)
    if without_number:
        counts["diagonal_entries_without_number_taken_as_0"] = without_number
    if options.symmetrise:
        if options.orientation is not None:
            raise InvalidOption(f"{path}: symmetrise=True makes rows and columns alike: leave out orientation=")
        csr = orient(matrix, "post-pre", path)
        half = csr.dtype.type(0.5)
        counts["symmetrised"] = f"(W + W^T) / 2; the two directions differed by {_asymmetry(csr):.3g} at most"
        return Found((csr * half + csr.T * half).tocsr(), labels, counts)
    if oblong and options.orientation is None:
        raise BadFile(
            f"{path}: rows and columns name different neurons, and it does not say which send: give "
            'orientation="pre-post" (a row holds what a neuron sends) or "post-pre" (a row holds what it receives)'
        )
    counts["orientation"] = options.orientation or "symmetric"
    return Found(orient(matrix, options.orientation, path), labels, counts)


def _with_finite_diagonal(matrix: Any) -> tuple[Any, int]:
    """Take NaN and infinity on the diagonal as no self-connection: correlations have them there; count them."""
    if sp.issparse(matrix) and matrix.dtype.kind == "f":
        coo: Any = matrix.tocoo()
        bad = (coo.row == coo.col) & ~np.isfinite(coo.data)
        if not bad.any():
            return matrix, 0
        return sp.coo_array((coo.data[~bad], (coo.row[~bad], coo.col[~bad])), shape=coo.shape), int(bad.sum())
    array: Any = matrix
    if not isinstance(matrix, np.ndarray) or matrix.ndim != 2 or matrix.dtype.kind != "f":
        return matrix, 0
    bad = ~np.isfinite(np.diagonal(array))
    if not bad.any():
        return matrix, 0
    mended = array.copy()
    mended[np.flatnonzero(bad), np.flatnonzero(bad)] = 0
    return mended, int(bad.sum())


def stack_axis(shape: tuple[int, ...], *, last: bool = False) -> int | None:
    """Find the axis along which square matrices are stacked: without it, a square is left.

    Parameters
    ----------
    shape : tuple of int
        Of an array.
    last : bool
        Whether the last such axis is meant (MATLAB) and not the first (NumPy), where an array of n x n x n has several.

    Returns
    -------
    int or None
        None where the array is no stack.
    """
    if len(shape) != 3 or min(shape) == 0:
        return None
    fit = [axis for axis in range(3) if shape[axis - 1] == shape[axis - 2] > 1]
    return fit[-1 if last else 0] if fit else None


def unstack(
    array: Any, name: str, path: Path, options: ReadOptions, *, last: bool = False
) -> tuple[Any, dict[str, Any]]:
    """Take one matrix of a stack, or the mean of all; any other array as it is.

    Parameters
    ----------
    array : array
        With two axes, or with three where it is a stack of matrices.
    name : str
        What it is called, for the messages.
    path : Path
        The file.
    options : ReadOptions
        What the user said of it.
    last : bool
        Whether the matrices are stacked along the last axis where nothing tells.

    Returns
    -------
    matrix : array
        With two axes, where there was a stack.
    counts : dict
        What was taken; empty where there was no stack.

    Raises
    ------
    BadFile
        Where nothing says which matrix is meant, or it is not there.
    InvalidOption
        Where both --index and --mean are given.
    """
    shape = tuple(np.shape(array))
    axis = stack_axis(shape, last=last)
    if axis is None:
        return array, {}
    size, place = shape[axis], ("first", "second", "third")[axis]
    sizes = " x ".join(map(str, shape))
    what = f"{size} along the {place} axis of {name} ({sizes})"
    if options.index is not None and options.mean:
        raise InvalidOption("give either index= or mean=True")
    if options.mean:
        return np.mean(array, axis=axis), {"stack": f"mean of the {what}"}
    if options.index is None and size > 1:
        raise BadFile(
            f"{path}: {name} has the shape {sizes}, {size} matrices along its {place} axis: give index= (0 to {size - 1}) for "
            "one of them, or mean=True for their mean"
        )
    index = options.index or 0
    if not 0 <= index < size:
        raise BadFile(f"{path}: has no index={index} among the {what}; they count from 0 to {size - 1}")
    return np.take(array, index, axis=axis), {"stack": f"number {index} (from 0) of the {what}"}


def take_square_or_stack(
    array: Any,
    labels: list[int | str] | None,
    path: Path,
    options: ReadOptions,
    what: str,
    *,
    name: str = "the array",
    taking: tuple[str, ...] = (),
    last: bool = False,
) -> Found:
    """Take a square matrix as `take_square` does, or out of a stack of them.

    Parameters
    ----------
    array : array
        A matrix, or a stack of matrices.
    labels, path, options, what, taking
        As in `take_square`.
    name, last
        As in `unstack`.

    Returns
    -------
    Found
        As of `take_square`.

    Raises
    ------
    InvalidOption, BadFile
        As of `unstack` and `take_square`.
    """
    matrix, stack = unstack(array, name, path, options, last=last)
    found = take_square(matrix, labels, path, options, what, taking=(*taking, *(("index", "mean") if stack else ())))
    return replace(found, counts=found.counts | stack)


def find_names(names: dict[str, list[str]], n: int) -> tuple[list[int | str] | None, dict[str, Any]]:
    """Find the names of neurons among the lists of strings that stand beside a matrix.

    Parameters
    ----------
    names : dict
        Strings by the variable that holds them.
    n : int
        Neurons.

    Returns
    -------
    labels : list or None
        None where no list has n distinct names, or several have.
    counts : dict
        Which was taken, or which could have been.
    """
    there = {name: found for name, found in names.items() if len(found) == n and all(found)}
    fit = {name: found for name, found in there.items() if len(set(found)) == n}
    if len(fit) == 1:
        ((name, found),) = fit.items()
        return name_neurons(found), {"labels": name}
    if fit:
        return None, {"labels_not_used": f"several lists of names: {', '.join(fit)}"}
    return None, {"labels_not_used": f"not all distinct: {', '.join(there)}"} if there else {}


def choose_matrix(shapes: dict[str, tuple[int, ...]], wanted: str | None, path: Path, *, stacks: bool = False) -> str:
    """Choose one of several square matrices in a file; one of 1 x 1 is a number where there is anything larger.

    Parameters
    ----------
    shapes : dict
        Shapes by name.
    wanted : str or None
        Which one a user named.
    path : path
        For errors.
    stacks : bool
        Whether stacks of matrices will do, where they are named or there is nothing else.

    Raises
    ------
    BadFile
        Where there is none, or several and none was named, or not the one that was named.
    """
    fit = [name for name, shape in shapes.items() if len(shape) == 2 and shape[0] == shape[1] > 0]
    if stacks and (all(shapes[name] == (1, 1) for name in fit) or wanted not in (None, *fit)):
        fit += [name for name, shape in shapes.items() if stack_axis(shape) is not None]
    names = [name for name in fit if name == wanted or shapes[name] != (1, 1)] or fit
    listed = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    if wanted is not None and wanted not in names:
        raise BadFile(f"{path}: holds no matrix {wanted!r}; those it holds are {listed or 'none'}")
    if not names:
        there = ", ".join(f"{name} ({' x '.join(map(str, shape)) or 'a number'})" for name, shape in shapes.items())
        raise BadFile(f"{path}: holds no square matrix of numbers{f'; it holds {there[:300]}' if there else ''}")
    if wanted is None and len(names) > 1:
        raise BadFile(f"{path}: holds {len(names)} matrices, {listed}: choose one with variable=")
    return wanted or names[0]


@dataclass(frozen=True)
class Grid:
    """A square matrix that text held.

    Attributes
    ----------
    values : (n_neurons, n_neurons) array
        As it stood there, blanks as 0.
    labels : list of int or str, or None
        Its names.
    counts : dict
        What was found.
    oblong : bool
        Whether rows and columns named different neurons, of which `labels` is the union.
    """

    values: np.ndarray[Any, Any]
    labels: list[int | str] | None
    counts: dict[str, Any]
    oblong: bool = False


def text_matrix(table: Cells, path: Path, *, decimal_comma: bool = False) -> Grid | None:
    """Read a matrix, bare or with names along its edges; None where the table is none.

    Parameters
    ----------
    table : Cells
        From `text.parse`.
    path : Path
        The file, for the messages.
    decimal_comma : bool
        Whether numbers have a comma in place of a point.

    Raises
    ------
    BadFile
        Where the first row could be names or weights.
    """
    numbers = table.cells.select(with_points(pl.all())) if decimal_comma else table.cells
    rows, columns = table.cells.height, table.cells.width
    first = table.cells.row(0)
    pointed = table.cells.head(1).select(pl.all().str.replace(",", ".", literal=True))
    ours = sorted(cell or "" for cell in first) == sorted(cell or "" for cell in table.cells.to_series(0))
    if rows == columns and _holds_numbers(pointed.row(0)) and not (first[0] is None and ours and rows > 1):
        return _grid(numbers, table, path, None)
    if rows > 1 and columns > 1 and _is_named(table):  # in the first row and the first column
        names = [cell or "" for cell in first[1:]]
        beside = [cell or "" for cell in table.cells.to_series(0).to_list()[1:]]
        if (
            all(map(_is_number, names))
            and rows > 2
            and all(table.cells[k, k] is None for k in range(min(rows, columns)))
        ):
            raise BadFile(
                f"{path}: the first row could be names or weights, since the diagonal is blank: fill the diagonal with 0"
            )
        return _named_grid(numbers[1:, 1:], table, path, beside, names)
    # names in the first row only; edge lists of the same shape have names in every row
    if rows == columns + 1 and (
        _counts_columns(numbers)
        if all(map(_is_number, numbers.row(0)))
        else 2 * sum(map(_is_number, numbers.row(1))) > columns
    ):
        return _grid(numbers[1:], table, path, name_neurons([cell or "" for cell in first]))
    return None


def _holds_numbers(cells: Sequence[str | None]) -> bool:
    """Whether all cells are numbers or blank, and not all blank."""
    return any(cells) and all(cell is None or _is_number(cell) for cell in cells)


def _is_named(table: Cells) -> bool:
    """Whether a table has names in its first row and its first column, and numbers or blanks between them."""
    names = [cell or "" for cell in table.cells.row(0)[1:]]
    beside = [cell or "" for cell in table.cells.to_series(0).to_list()[1:]]
    if sorted(names) == sorted(beside):
        return True
    if "" in names or "" in beside or len(set(beside)) < len(beside) or len(set(names)) < len(names):
        return False
    if table.cells[0, 0] is not None and all(_is_number(cell.replace(",", ".")) for cell in beside):
        return False  # ids under a header that is not known
    inner = table.cells[1:, 1:].select(pl.all().str.replace(",", ".", literal=True))
    # a column of words, as in an edge list, is no part of a matrix; a word among numbers is a hole in one
    full = inner.select(pl.all().cast(pl.Float64, strict=False).is_not_null().any() | pl.all().is_null().all())
    return all(full.row(0)) and any(inner.select(pl.all().is_not_null().any()).row(0))


def _named_grid(cells: pl.DataFrame, table: Cells, path: Path, beside: list[str], above: list[str]) -> Grid:
    """Bring rows and columns that have names together; the union of both where they are different neurons."""
    if sorted(beside) == sorted(above):
        if beside != above:
            k = next(k for k, pair in enumerate(zip(beside, above, strict=True)) if pair[0] != pair[1])
            raise BadFile(
                f"{path}: rows and columns are named in different orders; number {k + 1} is {beside[k]!r} beside and "
                f"{above[k]!r} above: bring them into one order"
            )
        return _grid(cells, table, path, name_neurons(above))
    in_row, in_column = set(beside), set(above)
    only_beside, only_above = ([x for x in a if x not in b] for a, b in ((beside, in_column), (above, in_row)))
    alike = [(x, y) for x in only_beside for y in only_above if x.casefold().split() == y.casefold().split()]
    shared = len(beside) - len(only_beside)
    if alike or (shared and len(beside) == len(above)):
        row, column = alike[0] if alike else (only_beside[0], only_above[0])
        more = max(len(only_beside), len(only_above))
        raise BadFile(
            f"{path}: rows and columns do not name the same neurons: {row!r} stands beside only and {column!r} above only "
            f"({more} such {'name' if more == 1 else 'names'}): mend the names"
        )
    grid = _grid(cells, table, path, None)
    names = [*beside, *only_above]
    place = {name: k for k, name in enumerate(names)}
    values = np.zeros((len(names), len(names)))
    values[: len(beside), [place[name] for name in above]] = grid.values
    counts = {**grid.counts, "rows_and_columns": f"{len(beside)} and {len(above)} neurons, {shared} of them the same"}
    return Grid(values, name_neurons(names), counts, oblong=True)


def _counts_columns(cells: pl.DataFrame) -> bool:
    """Whether the first row only counts its columns, as pandas writes a matrix without names.

    Three columns could be an edge list as well, two could be pairs; a matrix has a zero diagonal, and no synapse a weight
    of zero.
    """
    n = cells.width
    if cells.row(0) not in (tuple(map(str, range(n))), tuple(map(str, range(1, n + 1)))):
        return False
    return n > 3 or (n == 3 and all(_is_number(x) and float(x) == 0 for x in (cells[k + 1, k] for k in range(n))))


def _is_number(cell: str | None) -> bool:
    try:
        float(cell or "")
    except ValueError:
        return False
    return True


def name_neurons(names: list[str]) -> list[int | str]:
    """Name neurons by integers where all names are 64-bit ones."""
    if all(INTEGER.fullmatch(name) and abs(int(name)) < 2**63 for name in names):
        return [int(name) for name in names]
    return list(names)


def _grid(cells: pl.DataFrame, table: Cells, path: Path, labels: list[int | str] | None) -> Grid:
    """Turn the last rows and columns of a table, whose numbers have points, into numbers; NaN may stand on the diagonal."""
    numbers = cells.cast(pl.Float64, strict=False)
    written = table.cells[-cells.height :, -cells.width :]
    blank = sum(written.null_count().row(0))
    for column in range(cells.width):
        parsed, cell = numbers.to_series(column), written.to_series(column)
        bad = (parsed.is_null() & cell.is_not_null()) | ~parsed.is_finite().fill_null(True)
        if cells.height == cells.width and parsed[column] is not None:
            bad[column] = False
        if bad.any():
            row = bad.arg_true()[0]
            hint = ": give decimal_comma=True where 0,5 is a half" if DECIMAL_COMMA.fullmatch(cell[row]) else ""
            name = "" if labels is None else f" ({labels[column]!r})"
            raise BadFile(
                f"{path}: line {table.lines[row - cells.height]}, column {column + 1 + table.cells.width - cells.width}{name} "
                f"holds {cell[row]!r}, which is no finite number{hint}"
            )
    return Grid(numbers.fill_null(0.0).to_numpy(), labels, {"blank_cells_taken_as_0": blank} if blank else {})


def read_npy(path: Path, options: ReadOptions, record: meta.Metadata | None) -> Network | Found:
    """Read a dense array; no pickles.

    Parameters
    ----------
    path, options, record
        As in `arrow_files.read_arrow`.

    Raises
    ------
    BadFile
        Where it is damaged, an archive, or no square matrix.
    """
    with naming_damage(path, ".npy array"), path.open("rb") as file:
        array = np.load(file, allow_pickle=False)
        if not isinstance(array, np.ndarray):
            raise BadFile(f"{path}: is an .npz archive; rename it so")
    if record is not None:
        return meta.restore(sp.csr_array(array), record, path)
    return take_square_or_stack(array, None, path, options, ".npy")


def write_npy(network: Network, path: Path) -> None:
    """Write W dense."""
    n = network.n_neurons
    require_memory(8.0 * n * n, f"a dense matrix of {n} neurons", "write .npz instead")
    with path.open("wb") as file:
        np.save(file, network.weights.toarray(), allow_pickle=False)


# a word that is no number: SciPy's reader (1.17) does not see its end, and takes the whole process down
NO_NUMBER = re.compile(rb"(?<!\S)(?![-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?!\S))\S+")
MTX_HEADER = re.compile(rb"(?:[ \t]*(?:%[^\n]*)?\n)*")


def read_mtx(path: Path, options: ReadOptions, record: meta.Metadata | None) -> Network | Found:
    """Read Matrix Market.

    Parameters
    ----------
    path, options, record
        As in `arrow_files.read_arrow`.

    Raises
    ------
    BadFile
        Where it is damaged, or no square matrix.
    """
    matrix = _mtx(read_bytes(path), path)
    if record is not None:
        return meta.restore(sp.csr_array(matrix), record, path)
    return take_square(matrix, None, path, options, "Matrix Market")


def _mtx(data: bytes, path: Path) -> Any:
    header = MTX_HEADER.match(data)
    bad = NO_NUMBER.search(data, header.end() if header else 0)
    if bad:
        line = data.count(b"\n", 0, bad.start()) + 1
        raise BadFile(
            f"{path}: line {line} holds {bad[0][:40].decode('utf-8', 'replace')!r}, which is no finite number"
        )
    data = data.rstrip() + b"\n"
    with naming_damage(path, "Matrix Market file"):
        n_rows, n_columns, entries, layout, *_ = scipy.io.mminfo(io.BytesIO(data))
        size = n_rows * n_columns if layout == "array" else n_rows + n_columns + 3 * entries
        if entries > len(data) // 2:
            raise BadFile(
                f"{path}: announces {entries} numbers and has room for {len(data) // 2} at most: it was cut off"
            )
        require_memory(8.0 * size, f"the matrix of {n_rows} x {n_columns} in {path}", "use a machine with more")
        return scipy.io.mmread(io.BytesIO(data), spmatrix=False)


def write_mtx(network: Network, path: Path) -> None:
    """Write W in coordinates."""
    with path.open("wb") as file:
        # no precision given: the shortest text that reads back as the same number
        scipy.io.mmwrite(file, network.weights, symmetry="general")


def read_npz(path: Path, options: ReadOptions) -> Network | Found:
    """Read SciPy's sparse layout or one of several arrays; a Network where noiseprune wrote it, else the matrix.

    Raises
    ------
    BadFile
        Where it is damaged, a result of `prune`, or has no square matrix or several.
    """
    what = ".npz of a SciPy sparse matrix, as scipy.sparse.save_npz writes it, or of arrays"
    with naming_damage(path, what), path.open("rb") as raw:
        with np.load(raw, allow_pickle=False) as file:
            if "noiseprune_result" in file:
                raise BadFile(f"{path}: holds a result of prune, not a network: read it with noiseprune.load")
            if "format" not in file:
                return _read_arrays(file, path, options)
            text = str(file[meta.RECORD]) if meta.RECORD in file else None
        raw.seek(0)
        matrix = check_sparse(sp.load_npz(raw))
        network = None if text is None else meta.restore_inside(matrix, text, path)
    return network or take_square(matrix, None, path, options, ".npz")


def _read_arrays(file: Any, path: Path, options: ReadOptions) -> Found:
    """Read one array of an archive, and names where there are as many."""
    headers = {name: _header(file.zip, name) for name in file.files}
    shapes = {name: shape for name, (shape, dtype) in headers.items() if dtype.kind in "buifc"}
    name = choose_matrix(shapes, options.variable, path, stacks=True)
    require_memory(2.0 * file.zip.getinfo(f"{name}.npy").file_size, f"the array {name} in {path}", "store it sparse")
    array = file[name]
    texts = [k for k, (shape, dtype) in headers.items() if dtype.kind == "U" and len(shape) == 1]
    found = take_square_or_stack(array, None, path, options, f".npz, {name}", name=name, taking=("variable",))
    n = found.matrix.shape[0]
    labels, counts = find_names({k: file[k].tolist() for k in texts if headers[k][0] == (n,)}, n)
    return replace(found, labels=labels, counts=found.counts | counts)


def _header(archive: Any, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Read the shape and the type of an array without reading it."""
    with archive.open(f"{name}.npy") as file:
        version = np.lib.format.read_magic(file)  # type: ignore[no-untyped-call]
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file)  # type: ignore[no-untyped-call]
    return shape, dtype


def write_npz(network: Network, path: Path) -> None:
    """Write SciPy's ``save_npz`` layout of W, with one more array for the rest of the network."""
    csr = network.weights
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            format=np.array(b"csr"),
            shape=np.array(csr.shape),
            indices=csr.indices,
            indptr=csr.indptr,
            data=csr.data,
            _is_array=np.array(True),
            **{meta.RECORD: np.array(meta.dumps(meta.describe(network)))},  # type: ignore[arg-type]
        )
