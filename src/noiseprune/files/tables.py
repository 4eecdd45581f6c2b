"""Edge lists: one synapse a row, columns found by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp

from noiseprune.errors import BadFile, InvalidOption
from noiseprune.files.text import Table, said

# what each role is called, letter case, blanks and underscores aside
ALIASES = {
    "pre": ("pre", "source", "origin", "from"),
    "post": ("post", "target", "to"),
    "weight": ("weight", "count", "n", "numberofconnections", "syncount"),
    "transmitter": ("transmitter", "neurotransmitter", "nttype"),
}

Condition = str | Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class TableOptions:
    """How to read an edge list.

    Attributes
    ----------
    pre, post, weight, transmitter_column : str, optional
        Column names, in place of the known ones.
    where : conditions
        Rows to keep: "COLUMN=VALUE,VALUE" or {column: values}; all of several.
    symmetric_rows : conditions
        Rows that are electrical synapses (gap junctions): they join both neurons alike.
    inhibitory : str or sequence of str
        Transmitters whose synapses are negative; a whole name, or a part of one between underscores.
    """

    pre: str | None = None
    post: str | None = None
    weight: str | None = None
    transmitter_column: str | None = None
    where: Condition | Sequence[Condition] = ()
    symmetric_rows: Condition | Sequence[Condition] = ()
    inhibitory: str | Sequence[str] = ()

    def given(self) -> list[str]:
        """Names of the options that a user gave."""
        return [f.name for f in fields(self) if getattr(self, f.name)]


def column_role(name: str) -> str | None:
    """Say what a column of this name holds."""
    plain = _plain(name)
    return next((role for role, aliases in ALIASES.items() if plain in aliases), None)


def edge_list(table: Table, path: Path, options: TableOptions) -> tuple[sp.csr_array, list[int | str], dict[str, Any]]:
    """Read an edge list.

    Returns
    -------
    weights : (n_neurons, n_neurons) csr_array
        W, (post, pre).
    labels : list of int or str
        Ids in order of first appearance.
    counts : dict
        What was summed, dropped, completed.
    """
    reader = _EdgeList(table, path, options)
    return reader.weights(), reader.labels, reader.counts


class _EdgeList:
    """One reading of one table; every step notes what it did in `counts`."""

    def __init__(self, table: Table, path: Path, options: TableOptions) -> None:
        self.path = path
        self.counts: dict[str, Any] = {}
        header = [name or "" for name in table.cells.row(0)]
        has_header = bool(options.given()) or any(column_role(name) in ("pre", "post") for name in header)
        if has_header:
            self.header = header
            self.rows = table.cells.slice(1).with_columns(table.lines.slice(1).alias("line"))
        else:
            self.header = ["pre", "post", "weight"][: len(header)]
            self.rows = table.cells.with_columns(table.lines.alias("line"))
            self.counts["header"] = "none: the columns were taken as pre, post, weight"
        if self.rows.is_empty():
            raise BadFile(f"{path}: has a header and no rows")
        self.options = options
        self.pre = self._required("pre", options.pre)
        self.post = self._required("post", options.post)
        self.weight = self._column("weight", options.weight)
        self.transmitter = self._column("transmitter", options.transmitter_column)
        self._filter()
        self._check_ids()
        self.labels, self.index = self._label()

    # --- columns ------------------------------------------------------------------------------------------------

    def _required(self, role: str, wanted: str | None) -> str:
        column = self._column(role, wanted)
        if column is None:
            raise BadFile(
                f"{self.path}: no column for {role} among {self._names()}: one called {' or '.join(ALIASES[role])} was "
                f"expected (the first line is taken for the header); name it with --{role}"
            )
        return column

    def _column(self, role: str, wanted: str | None) -> str | None:
        """Find the column that plays a role; its name in `rows` is its number."""
        if wanted is not None:
            return self._named(wanted)
        found = [k for k, name in enumerate(self.header) if _plain(name) in ALIASES[role]]
        if len(found) > 1:
            option = "--transmitter-column" if role == "transmitter" else f"--{role}"
            names = " and ".join(repr(self.header[k]) for k in found)
            raise BadFile(f"{self.path}: two columns could be the {role} column, {names}: choose with {option}")
        return str(found[0]) if found else None

    def _named(self, name: str) -> str:
        for match in (lambda x: x == name, lambda x: _plain(x) == _plain(name)):
            found = [k for k, given in enumerate(self.header) if match(given)]
            if len(found) > 1:
                raise BadFile(f"{self.path}: {len(found)} columns are called {name!r}; rename all but one")
            if found:
                return str(found[0])
        raise BadFile(f"{self.path}: no column {name!r}; the columns are {self._names()}")

    def _names(self) -> str:
        shown = ", ".join(repr(name) for name in self.header[:12])
        return shown + (f" and {len(self.header) - 12} more" if len(self.header) > 12 else "")

    # --- rows ---------------------------------------------------------------------------------------------------

    def _filter(self) -> None:
        for column, values in _conditions(self.options.where):
            name = self._named(column)
            kept = self.rows.filter(pl.col(name).is_in(values))
            if kept.is_empty():
                wanted = " or ".join(values)
                raise BadFile(f"{self.path}: no row has {column} = {wanted}; its values are {self._values(column)}")
            self.rows = kept
        self.counts["rows"] = self.rows.height

    def _values(self, column: str) -> str:
        """List some values of a column, for an error."""
        there = self.rows[self._named(column)].drop_nulls().unique(maintain_order=True).head(10).to_list()
        return ", ".join(map(repr, there))

    def _check_ids(self) -> None:
        for role, name in (("pre", self.pre), ("post", self.post)):
            empty = self.rows.filter(pl.col(name).is_null())
            if not empty.is_empty():
                raise BadFile(f"{self.path}: line {empty['line'][0]} has no {role} neuron")

    def _label(self) -> tuple[list[int | str], pl.DataFrame]:
        """Number the ids in order of first appearance; 64-bit integers where all are, else strings."""
        both = pl.DataFrame({"id": self.rows.select(pl.concat_list(self.pre, self.post).alias("id").explode())["id"]})
        names = both["id"].unique(maintain_order=True)
        numbers = names.cast(pl.Int64, strict=False)
        exact = numbers.null_count() == 0 and bool((numbers.cast(pl.String) == names).all())
        labels: list[int | str] = numbers.to_list() if exact else names.to_list()
        return labels, pl.DataFrame({"id": names, "number": np.arange(len(names))})

    def _numbers(self, rows: pl.DataFrame, column: str) -> Any:
        joined = rows.select(pl.col(column).alias("id")).join(self.index, on="id", how="left", maintain_order="left")
        return joined["number"].to_numpy()

    def _weights(self, rows: pl.DataFrame) -> Any:
        """Return signed weights, one a row."""
        if self.weight is None:
            self.counts["weight"] = "no such column: each row counts 1"
            weight = np.ones(rows.height)
        else:
            parsed = rows[self.weight].cast(pl.Float64, strict=False)
            bad = parsed.is_null() | ~parsed.is_finite().fill_null(True)
            if bad.any():
                row = rows.filter(bad)
                raise BadFile(
                    f"{self.path}: line {row['line'][0]}, column {self.header[int(self.weight)]!r} "
                    f"{said(row[self.weight][0])} ({row.height} such rows)"
                )
            weight = parsed.to_numpy().copy()
        if self.transmitter is not None:
            self._apply_signs(rows, weight)
        return weight

    def _apply_signs(self, rows: pl.DataFrame, weight: Any) -> None:
        inhibitory = {name.lower() for name in _listed(self.options.inhibitory)}
        names = rows[str(self.transmitter)].fill_null("")
        signs = {
            name: -1 if inhibitory & {name.lower(), *name.lower().split("_")} else 1
            for name in names.unique(maintain_order=True).to_list()
        }
        for wanted in inhibitory:
            if not any(wanted in {name.lower(), *name.lower().split("_")} for name in signs):
                met = ", ".join(repr(name) for name in signs)
                raise BadFile(f"{self.path}: no transmitter {wanted!r}; those met are {met}")
        negative = names.replace_strict(signs, return_dtype=pl.Int8).to_numpy() < 0
        weight[negative] = -np.abs(weight[negative])  # a file may have its signs already
        self.counts["transmitters"] = {name or "(none)": "+" if sign > 0 else "-" for name, sign in signs.items()}

    # --- weights ------------------------------------------------------------------------------------------------

    def weights(self) -> sp.csr_array:
        """Sum the rows into W, (post, pre)."""
        if self.options.inhibitory and self.transmitter is None:
            raise BadFile(
                f"{self.path}: --inhibitory needs a column of transmitters; among {self._names()} there is none: name it "
                "with --transmitter-column"
            )
        electrical = pl.lit(True)
        for column, values in _conditions(self.options.symmetric_rows):
            electrical &= pl.col(self._named(column)).is_in(values).fill_null(False)
        if not _conditions(self.options.symmetric_rows):
            return self._chemical(self.rows)
        junction_rows = self.rows.filter(electrical)
        if junction_rows.is_empty():
            column, _ = _conditions(self.options.symmetric_rows)[0]
            raise BadFile(f"{self.path}: no row is symmetric; the values of {column} are {self._values(column)}")
        chemical = self._chemical(self.rows.filter(~electrical))
        junctions, listed = self._electrical(junction_rows)
        self.counts["chemical_and_electrical_listed"] = (chemical.sign() * listed.sign()).nnz
        self.counts["chemical_and_electrical_summed"] = (chemical.sign() * junctions.sign()).nnz
        return (chemical + junctions).tocsr()

    def _places(self, rows: pl.DataFrame, kind: str, weight: Any) -> sp.coo_array:
        """Place the rows of two different neurons; count the others."""
        post, pre = self._numbers(rows, self.post), self._numbers(rows, self.pre)
        off = post != pre
        self.counts[f"{kind}self_connections_dropped"] = int(np.count_nonzero(~off))
        n = len(self.labels)
        coo = sp.coo_array((weight[off], (post[off], pre[off])), shape=(n, n))
        distinct = sp.csr_array((np.ones(coo.nnz, dtype=np.int8), coo.coords), shape=(n, n)).nnz
        self.counts[f"{kind}duplicate_rows_summed"] = coo.nnz - distinct
        return coo

    def _chemical(self, rows: pl.DataFrame) -> sp.csr_array:
        csr = self._places(rows, "", self._weights(rows)).tocsr()
        zeros = int(np.count_nonzero(csr.data == 0))
        if zeros:
            self.counts["zero_or_cancelled_weights_dropped"] = zeros
        csr.eliminate_zeros()
        return csr

    def _electrical(self, rows: pl.DataFrame) -> tuple[sp.csr_array, sp.csr_array]:
        """Join both neurons of a junction alike, listed twice or once; return also the rows as listed."""
        transmitter, self.transmitter = self.transmitter, None  # a junction has no sign
        weight = self._weights(rows)
        self.transmitter = transmitter
        listed = self._places(rows, "junction_", weight).tocsr()
        there = (listed != 0).astype(np.float64)
        times = there + there.T
        total = (listed + listed.T).tocsr()
        once = sp.tril(times == 1, format="csr").nnz
        unequal = (listed - listed.T).multiply(there.multiply(there.T)).tocsr()
        unequal.eliminate_zeros()
        self.counts["junctions"] = sp.tril(times, format="csr").nnz
        self.counts["junctions_listed_once_completed"] = int(once)
        self.counts["junction_rows_that_disagree_averaged"] = unequal.nnz
        times.data = 1 / times.data
        return total.multiply(times).tocsr(), listed


def _plain(name: str) -> str:
    return "".join(name.lower().replace("_", " ").split())


def _listed(given: str | Sequence[str]) -> list[str]:
    parts = given.split(",") if isinstance(given, str) else [part for text in given for part in text.split(",")]
    return [part.strip() for part in parts if part.strip()]


def _conditions(given: Condition | Sequence[Condition]) -> list[tuple[str, list[str]]]:
    """Read "COLUMN=VALUE,VALUE" and {column: values} alike; never evaluated as code."""
    if isinstance(given, str | Mapping):
        given = [given]
    conditions: list[tuple[str, list[str]]] = []
    for condition in given:
        if isinstance(condition, Mapping):
            conditions += [(column, _listed(values)) for column, values in condition.items()]
            continue
        column, equals, values = condition.partition("=")
        if not equals or not column.strip() or not _listed(values):
            raise InvalidOption(f"a condition is written COLUMN=VALUE or COLUMN=VALUE,VALUE; got {condition!r}")
        conditions.append((column.strip(), _listed(values)))
    return conditions
