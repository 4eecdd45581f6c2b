"""Square matrices with names along their edges, of pandas, polars and xarray: read by name, never by position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseprune.errors import InvalidNetwork
from noiseprune.machine.processes import refuse_frames
from noiseprune.network.column_names import column_role

LIBRARIES = {"pandas": "DataFrame", "polars": "DataFrame", "xarray": "DataArray"}


@dataclass(frozen=True)
class NamedSquare:
    """A square matrix, and the way back to the object that held it.

    Attributes
    ----------
    values : (n_neurons, n_neurons) array
        In (post, pre) order, both in the order of `labels`.
    labels : list or None
        One name a neuron; None where the names only count.
    given : DataFrame or DataArray
        What held it.
    columns : (n_neurons,) array of int
        The neuron that each column of `given` stands for; its rows are in order.
    pre_post : bool
        Whether the rows of `given` send, as the names of its axes say; otherwise they receive, as those of an array.
    """

    values: NDArray[Any]
    labels: list[Any] | None
    given: Any
    columns: NDArray[np.intp]
    pre_post: bool

    def give_back(self, values: NDArray[Any]) -> Any:
        """Return a matrix in (post, pre) order as the same kind of object, with rows and columns as they were."""
        layout = (values.T if self.pre_post else values)[:, self.columns]
        library = _library(self.given)
        if library == "xarray":
            return self.given.copy(data=layout)
        if library == "pandas":
            return type(self.given)(layout, index=self.given.index, columns=self.given.columns)
        names = self.given.columns[-layout.shape[1] :]  # beside them one of the rows' names perhaps
        return self.given.with_columns(
            type(self.given.to_series(0))(name, layout[:, k]) for k, name in enumerate(names)
        )


def named_square(given: Any) -> NamedSquare | None:
    """Read a square frame or a DataArray of two axes by its names; None where it is anything else.

    A frame with columns called pre and post (or the like) is an edge list, and no square.

    Raises
    ------
    InvalidNetwork
        Where rows and columns do not name the same neurons, or a name stands twice.
    """
    library = _library(given)
    if library is None or len(given.shape) != 2 or given.shape[1] - given.shape[0] not in (0, 1):
        return None  # an edge list, seen before anything of it is copied
    rows, columns, values, axes = {"pandas": _pandas, "polars": _polars, "xarray": _xarray}[library](given)
    if values.ndim != 2 or values.shape[0] != values.shape[1] or values.dtype.kind not in "buif":
        return None
    if library != "xarray" and _is_edge_list(columns):
        return None
    n = len(values)
    order = np.arange(n)
    count = list(range(n))
    if rows is not None and columns is not None and rows != columns:
        for names in (rows, columns):
            if len(set(names)) < n:
                twice = next(x for x in names if names.count(x) > 1)
                raise InvalidNetwork(f"labels must be distinct; {twice!r} names more than one neuron")
        if set(rows) == set(columns):
            place = {name: k for k, name in enumerate(rows)}
            order = np.array([place[name] for name in columns], dtype=np.intp)
        elif rows == count or columns == count:  # which pandas writes where there are no names
            rows = columns if rows == count else rows
        else:
            row, column = (next(x for x in a if x not in b) for a, b in ((rows, columns), (columns, rows)))
            raise InvalidNetwork(
                f"rows and columns do not name the same neurons: {row!r} names a row only, {column!r} a column only: bring "
                "both to the same names (reindex in pandas and xarray), or give the bare array"
            )
    labels = rows if rows is not None else columns
    by_row = np.empty_like(values)
    by_row[:, order] = values
    pre_post = _role(axes[0]) == "pre" or _role(axes[1]) == "post"
    matrix = by_row.T if pre_post else by_row
    # a copy without the numbers: what is given back must not depend on what becomes of the object
    kept = given.clone() if library == "polars" else given.copy(deep=False)
    return NamedSquare(matrix, None if labels == count else labels, kept, order, pre_post)


def bare_square(given: Any) -> tuple[Any, list[Any] | None]:
    """Return what holds the numbers, in (post, pre) order, and the names that came with it."""
    named = named_square(given)
    return (given, None) if named is None else (named.values, named.labels)


def _library(given: Any) -> str | None:
    for cls in type(given).__mro__:
        library = cls.__module__.partition(".")[0]
        if LIBRARIES.get(library) == cls.__name__:
            return library
    return None


def _pandas(frame: Any) -> tuple[list[Any] | None, list[Any] | None, NDArray[Any], tuple[Any, Any]]:
    numeric = all(getattr(dtype, "kind", "O") in "iufb" for dtype in frame.dtypes)
    values = frame.to_numpy()
    if numeric and values.dtype == object:  # pandas' own types, which have room for missing values
        values = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    return frame.index.tolist(), frame.columns.tolist(), values, (frame.index.name, frame.columns.name)


def _polars(frame: Any) -> tuple[list[Any] | None, list[Any] | None, NDArray[Any], tuple[Any, Any]]:
    refuse_frames()
    names, rows = frame.columns, None
    if frame.width == frame.height + 1 and not frame.dtypes[0].is_numeric():  # the names of the rows
        rows = frame.to_series(0).to_list()
        frame, names = frame[:, 1:], names[1:]
    if names == [f"column_{k}" for k in range(frame.width)]:
        names = list(range(frame.width))
    return rows, names, frame.to_numpy(), (None, None)


def _xarray(array: Any) -> tuple[list[Any] | None, list[Any] | None, NDArray[Any], tuple[Any, Any]]:
    if array.ndim != 2:
        return None, None, array.values, (None, None)
    rows, columns = (array.coords[dim].values.tolist() if dim in array.coords else None for dim in array.dims)
    return rows, columns, array.values, array.dims


def _is_edge_list(columns: list[Any] | None) -> bool:
    return {"pre", "post"} & {_role(name) for name in columns or ()} != set()


def _role(name: Any) -> str | None:
    return None if name is None else column_role(str(name))
