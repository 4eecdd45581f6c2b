"""The columns of a table by the roles that they play: pre, post, weight, transmitter.

A table comes as a lazy frame, so that only the columns and rows that matter are ever in memory: from text that parses
at once they come typed, from messy text as strings with their line numbers (`noiseprune.sources.files.text`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from noiseprune.errors import BadFile
from noiseprune.network.column_names import ALIASES, WEIGHTS, plain
from noiseprune.sources.files.found import with_points
from noiseprune.sources.reading import ReadOptions, read_conditions

# what each role is called, letter case, blanks and marks between words aside
OURS = ["pre", "post", "weight"]  # the columns of a table that we write
# columns that number or place something: taken for weights only where they are named
NUMBERING = re.compile(r"([Uu]nnamed.*|[Ii]ndex|INDEX|idx|(.*[^A-Za-z])?[Ii][Dd]s?|.*[a-z]I[Dd]s?|)", re.DOTALL)
PLACES = re.compile(r"(.*[^a-z])?([xyz])([^a-z].*)?", re.DOTALL)
FEW = 20  # different words of a column that tells kinds apart
SAMPLED = 200  # rows that tell whether a column holds numbers
ROUNDING = 1e-9  # relative, of sums of weights
EXACT_IN_FLOAT = 2.0**53  # ids beyond it lose their last digits as floating-point numbers
# how programs write whole numbers, the floating-point ones as well
WHOLE = r"^-?\d+(\.0+|(\.\d+)?[eE][+-]?\d+)?$"
FLOATING = r"[.eE]"


@dataclass(frozen=True)
class Table:
    """A table of which nothing but the names of its columns is in memory.

    Attributes
    ----------
    frame : LazyFrame
        Columns "0", "1", ...; where the table is text that did not parse at once, all strings, with a column "line".
    header : list of str
        The names of the columns as they stand in the file, or their numbers from 1 where it has none.
    typed : bool
        Whether the columns have their types, so that a row is named by its number and not by a line.
    in_memory : bool
        Whether it is a user's object and no file, so that there are no options of reading to advise.
    numbered : bool
        Whether the columns have numbers for names; the first two are then pre and post.
    notes : dict
        What was found on the way to the table.
    """

    frame: pl.LazyFrame
    header: list[str]
    typed: bool
    in_memory: bool = False
    numbered: bool = False
    notes: dict[str, Any] = field(default_factory=dict)


class Rows:
    """The rows of an edge list that count.

    Attributes
    ----------
    pre, post : (rows,) array of int32
        Neurons by number.
    labels : list of int or str
        Their ids, in order of first appearance.
    frame : DataFrame
        Columns "weight" (where there is one), "transmitter", "electrical".
    counts : dict
        What was found.
    """

    def __init__(self, table: Table, path: Path, options: ReadOptions) -> None:
        self.path = path
        self.table = table
        self.options = options
        self.counts: dict[str, Any] = {"format": "edge list", **table.notes}
        self.header = table.header
        pre = self._required("pre", options.pre or ("1" if table.numbered else None))
        post = self._required("post", options.post or ("2" if table.numbered else None))
        self.ends = (pre, post)
        self.transmitter = self._column("transmitter", options.transmitter_column)
        self.unused = self._unused()
        self.weight = self._weight(options.weight)
        self.unused = [name for name in self.unused if name != self.weight]
        if self.unused:
            self.counts["columns_not_used"] = [self.header[int(name)] for name in self.unused]
        self.frame = self._collect(pre, post)
        self.labels, self.pre, self.post = self._number()

    def caution(self, text: str) -> None:
        """Note what may have been meant otherwise."""
        self.counts["caution"] = "; ".join([*([self.counts["caution"]] if "caution" in self.counts else []), text])

    @property
    def in_memory(self) -> bool:
        """Whether the rows are a user's object, so that there are no options of reading to advise."""
        return self.table.in_memory

    def words(self) -> Iterator[tuple[str, pl.Series]]:
        """Give the unused columns of a few different words, each with its name, in the order of the rows."""
        schema = self.table.frame.collect_schema()
        for name in self.unused:
            if isinstance(schema[name], pl.String | pl.Categorical | pl.Enum):
                words = self.table.frame.filter(self.kept).select(_text(name, schema[name]).alias("x")).collect()["x"]
                if 2 <= words.n_unique() <= FEW and not words.null_count():
                    yield self.header[int(name)], words

    # --- columns ------------------------------------------------------------------------------------------------

    def _required(self, role: str, wanted: str | None) -> str:
        column = self._column(role, wanted)
        if column is None:
            raise BadFile(
                f"{self.path}: no column for {role} among {self.names()}, where one called {', '.join(ALIASES[role][:4])} or "
                "the like was expected",
                remedy=f"name it with {role}=, or give no_header=True where the first line is data",
            )
        return column

    def _column(self, role: str, wanted: str | None) -> str | None:
        """Find the column that plays a role; its name in the frame is its number."""
        if wanted is not None:
            return self.named(str(wanted))
        found = self._called(ALIASES[role])
        if len(found) > 1:
            raise self._several(role, found)
        return found[0] if found else None

    def _called(self, aliases: Sequence[str]) -> list[str]:
        return [str(k) for k, name in enumerate(self.header) if plain(name) in aliases]

    def _several(self, role: str, found: Sequence[str]) -> BadFile:
        option = "transmitter_column=" if role == "transmitter" else f"{role}="
        names = [repr(self.header[int(k)]) for k in found]
        shown = names if len(names) <= 20 else [*names[:20], f"{len(names) - 20} more"]
        return BadFile(
            f"{self.path}: {'two' if len(found) == 2 else len(found)} columns could be the {role} column, "
            f"{', '.join(shown[:-1])} and {shown[-1]}",
            remedy=f"choose with {option}",
        )

    def _unused(self) -> list[str]:
        """Return the columns that no role and no condition has taken, by their names in the frame."""
        asked = [*read_conditions(self.options.where), *read_conditions(self.options.electrical)]
        taken = {*self.ends, self.transmitter, *(self.named(column) for column, _ in asked)}
        return [str(k) for k in range(len(self.header)) if str(k) not in taken]

    # --- the weight ---------------------------------------------------------------------------------------------

    def _weight(self, wanted: str | None) -> str | None:
        """Find the column of weights by its name, or the only one of numbers; None where each row counts 1."""
        if wanted is not None:
            return self.named(str(wanted))
        known = [name for name in self._called(ALIASES["weight"]) if name in self.unused]
        known = known or [name for name in self._called(WEIGHTS) if name in self.unused]
        if not self.unused or self.unused == known[:1]:
            return self._said(known[0]) if known else None
        numeric = self._numeric(known)
        if known:
            for name in known:
                related = self._signed(name, numeric) or self._parts(name, numeric)
                if related is not None:
                    return related
            if len(known) > 1:
                raise self._several("weight", known)
            return self._said(known[0])
        candidates = [name for name in numeric if not self._numbers_or_places(name) and self._numeric_throughout(name)]
        if len(candidates) > 1:
            raise self._several("weight", candidates)
        return self._said(candidates[0], ", the only column of numbers") if candidates else None

    def _said(self, name: str, why: str = "") -> str:
        self.counts["weight"] = f"column {self.header[int(name)]!r}{why}"
        return name

    def _numeric(self, known: Sequence[str]) -> list[str]:
        """Return the columns without a role that hold numbers, as their first rows tell; the known ones first."""
        schema = self.table.frame.collect_schema()
        texts = [name for name in self.unused if schema[name] == pl.String]
        sample = self.table.frame.select(texts).head(SAMPLED).collect()
        numbers = {
            name
            for name in texts
            if sample[name].null_count() < sample.height
            and not sample.select(self._no_number(name, schema).any()).item()
        }
        return [name for name in self.unused if name in numbers or schema[name].is_numeric() or name in known]

    def _no_number(self, name: str, schema: pl.Schema) -> pl.Expr:
        """Whether a cell holds something that is no finite number."""
        number = self._number_column(name, schema)
        return _text(name, schema[name]).is_not_null() & ~number.is_finite().fill_null(False)

    def _numeric_throughout(self, name: str) -> bool:
        schema = self.table.frame.collect_schema()
        if schema[name].is_numeric():
            return True
        return not self.table.frame.select(self._no_number(name, schema).any()).collect(engine="streaming").item()

    def _numbers_or_places(self, name: str) -> bool:
        """Whether a column's name says that it numbers rows, or holds one of several coordinates."""
        header = [self.header[int(k)].strip() for k in self.unused]
        places = {place[2] for place in (PLACES.fullmatch(other.lower()) for other in header) if place}
        own = self.header[int(name)].strip()
        return NUMBERING.fullmatch(own) is not None or (len(places) > 1 and PLACES.fullmatch(own.lower()) is not None)

    def _signed(self, name: str, others: Sequence[str]) -> str | None:
        """Find a column of the same sizes that has signs where this one has none."""
        size, signed = pl.col("weight"), pl.col("other")
        law = (size >= 0).all() & (size == signed.abs()).all()
        for other in others:
            rows = self._compared(name, other)
            agree = other != name and all(  # all rows only where the first agree
                some.select(law).collect(engine="streaming").item() is True for some in (rows.head(SAMPLED), rows)
            )
            if agree and rows.select((signed < 0).any()).collect(engine="streaming").item():
                return self._said(other, f", which has the sizes of {self.header[int(name)]!r} and signs besides")
        return None

    def _parts(self, name: str, others: Sequence[str]) -> str | None:
        """Find a column that sums to this one over the rows of each pair, where this one repeats the pair's total."""
        total, part = pl.col("weight"), pl.col("other")
        whole = (total == total.round()).all() & (part != part.round()).any()
        for other in others:
            rows = self._compared(name, other)
            first = rows.head(SAMPLED)
            bounded = (part >= 0).all() & (part <= total * (1 + ROUNDING)).all() & whole.not_()
            if other == name or first.select(bounded).collect().item() is not True:
                continue
            pairs = first.select("pre", "post").head(FEW).unique()
            for some in (rows.join(pairs, on=["pre", "post"], how="semi"), rows):  # all rows only where it looks so
                repeated = some.group_by("pre", "post").agg(
                    total.min().alias("least"), total.max().alias("most"), part.sum(), pl.len().alias("rows")
                )
                sums = ((part - pl.col("most")).abs() <= ROUNDING * pl.col("most")).all()
                law = repeated.select(
                    ((pl.col("least") == pl.col("most")).all() & sums).alias("sums"),
                    (pl.col("rows") > 1).any().alias("many"),
                ).collect(engine="streaming")
                if law["sums"].item() is not True:
                    break
            else:
                if law["many"].item():
                    what = f"of which {self.header[int(name)]!r} repeats the pair's total in each row"
                    return self._said(other, f", {what}: each pair's total counts once")
        return None

    def _compared(self, name: str, other: str) -> pl.LazyFrame:
        """All rows of two columns of numbers, and the ends."""
        schema = self.table.frame.collect_schema()
        pre, post = self.ends
        return self.table.frame.select(
            pl.col(pre).alias("pre"),
            pl.col(post).alias("post"),
            self._number_column(name, schema).alias("weight"),
            self._number_column(other, schema).alias("other"),
        )

    # --- names --------------------------------------------------------------------------------------------------

    def named(self, name: str) -> str:
        """Find a column by its name; its name in the frame is its number.

        Raises
        ------
        BadFile
            Where there is none, or several.
        """
        for match in (lambda x: x == name, lambda x: plain(x) == plain(name)):
            found = [k for k, given in enumerate(self.header) if match(given)]
            if len(found) > 1:
                raise BadFile(f"{self.path}: {len(found)} columns are called {name!r}; rename all but one")
            if found:
                return str(found[0])
        lost = (
            f" (a table that noiseprune wrote wants {self.path.name}.json beside it)"
            if self.header == OURS and not self.table.in_memory
            else ""
        )
        raise BadFile(f"{self.path}: no column {name!r}; the columns are {self.names()}{lost}")

    def names(self) -> str:
        """List the columns, for an error."""
        shown = ", ".join(repr(name) for name in self.header[:12])
        return shown + (f" and {len(self.header) - 12} more" if len(self.header) > 12 else "")

    # --- rows ---------------------------------------------------------------------------------------------------

    def _collect(self, pre: str, post: str) -> pl.DataFrame:
        """Bring the rows that count into memory, the columns that matter only."""
        frame = self.table.frame
        schema = frame.collect_schema()
        self.kept = pl.lit(True)
        for column, values in read_conditions(self.options.where):
            kept = self._among(self.named(column), schema, values)
            self.kept &= kept
            frame = frame.filter(kept)
            if not frame.select(pl.len().alias("n")).collect(engine="streaming")["n"][0]:
                wanted = " or ".join(values)
                raise BadFile(f"{self.path}: no row has {column} = {wanted}; its values are {self.values_of(column)}")
        both_numbers = all(schema[x].is_integer() and schema[x] != pl.UInt64 for x in (pre, post))
        columns = [
            _id(pre, schema[pre], number=both_numbers).alias("pre"),
            _id(post, schema[post], number=both_numbers).alias("post"),
        ]
        if self.weight is not None:
            columns.append(self._number_column(self.weight, schema).alias("weight"))
        if self.transmitter is not None:
            self._check_simple(self.transmitter, schema)
            transmitter = _text(self.transmitter, schema[self.transmitter])
            columns.append(transmitter.cast(pl.Categorical).alias("transmitter"))
        if read_conditions(self.options.electrical):
            electrical = pl.lit(True)
            for column, values in read_conditions(self.options.electrical):
                electrical &= self._among(self.named(column), schema, values).fill_null(False)
            columns.append(electrical.alias("electrical"))
        if not self.table.typed:
            columns.append(pl.col("line"))
        for name in (pre, post):
            if not (schema[name].is_integer() or isinstance(schema[name], pl.String | pl.Categorical | pl.Enum)):
                self._check_ids_of_another_type(name, schema[name])
        rows = frame.select(columns).collect(engine="streaming")
        if rows.is_empty():
            raise BadFile(f"{self.path}: has a header and no rows")
        for role, name in (("pre", pre), ("post", post)):
            if rows[role].null_count():
                raise BadFile(
                    f"{self.path}: {self._first(_text(name, schema[name]).is_null())} has no {role} neuron: mend or drop it"
                )
        if self.weight is not None:
            finite = np.isfinite(rows["weight"].to_numpy())  # what is empty comes as NaN
            if not finite.all():
                self._raise_bad_weight(self.weight, schema, int(np.count_nonzero(~finite)))
        self.counts["rows"] = rows.height
        return rows

    def _check_simple(self, name: str, schema: pl.Schema) -> None:
        if schema[name].is_nested() or schema[name] in (pl.Binary, pl.Object):
            raise BadFile(
                f"{self.path}: the column {self.header[int(name)]!r} holds {schema[name]}, where text or numbers were "
                "expected: name another"
            )

    def _among(self, name: str, schema: pl.Schema, values: list[str]) -> pl.Expr:
        """Whether a cell is one of some values, floating-point numbers by their size and all else to the letter."""
        self._check_simple(name, schema)
        if schema[name].is_float():
            return pl.col(name).is_in(pl.Series(values).cast(pl.Float64, strict=False).drop_nulls().cast(schema[name]))
        return _text(name, schema[name]).is_in(values)

    def _number_column(self, name: str, schema: pl.Schema) -> pl.Expr:
        """Return the weights as float64, null where a text is no number."""
        self._check_simple(name, schema)
        if schema[name].is_numeric() or schema[name] == pl.Boolean:
            return pl.col(name).cast(pl.Float64, strict=False)
        text = pl.col(name).cast(pl.String).str.strip_chars()
        return (with_points(text) if self.options.decimal_comma else text).cast(pl.Float64, strict=False)

    def _raise_bad_weight(self, name: str, schema: pl.Schema, n: int) -> None:
        number = self._number_column(name, schema)
        bad = number.is_null() | ~number.is_finite()
        shown = self._lined().filter(bad).select("line", _text(name, schema[name])).head(1).collect()
        raise BadFile(
            f"{self.path}: {self._place(shown['line'][0])}, column {self.header[int(name)]!r} {said(shown[name][0])} "
            f"({n} such rows)",
            remedy=self._remedy(shown[name][0]),
        )

    def _remedy(self, cell: Any) -> str:
        if isinstance(cell, str) and self.options.decimal_comma and "." in cell:
            return "beside decimal commas a dot separates thousands: take it out, or leave out decimal_comma=True"
        if isinstance(cell, str) and cell.count(",") == 1:
            return "give decimal_comma=True where 0,5 is a half, or take commas out that separate thousands"
        return "mend or drop them, or name another column with weight="

    def _first(self, bad: pl.Expr) -> str:
        return self._place(self._lined().filter(bad).select("line").head(1).collect()["line"][0])

    def _lined(self) -> pl.LazyFrame:
        """The rows that count, numbered; for errors alone, since numbering takes time."""
        frame = self.table.frame
        return (frame.with_row_index("line") if self.table.typed else frame).filter(self.kept)

    def _place(self, line: int) -> str:
        return f"row {line + 1}" if self.table.typed else f"line {line}"

    def _check_ids_of_another_type(self, name: str, dtype: pl.DataType) -> None:
        """Take floating-point ids where they are whole and small enough to be what they were."""
        column = self.header[int(name)]
        if not dtype.is_float():
            raise BadFile(f"{self.path}: the column {column!r} holds {dtype}, where integers or names were expected")
        bad = (pl.col(name) != pl.col(name).round()) | (pl.col(name).abs() >= EXACT_IN_FLOAT)
        shown = self.table.frame.filter(self.kept & bad).select(name).head(1).collect()[name]
        if len(shown):
            self._refuse_floating(name, shown[0])

    def _refuse_floating(self, name: str, shown: Any) -> None:
        raise BadFile(
            f"{self.path}: the column {self.header[int(name)]!r} holds floating-point numbers, {shown!r} among them, so ids "
            "have lost their last digits: save it as integers or strings"
        )

    def values_of(self, column: str) -> str:
        """List some values of a column, for an error."""
        name = self.named(column)
        text = _text(name, self.table.frame.collect_schema()[name])
        there = self.table.frame.select(text.drop_nulls().unique(maintain_order=True).head(10)).collect()
        return ", ".join(map(repr, there.to_series().to_list()))

    def _number(self) -> tuple[list[int | str], Any, Any]:
        """Number the ids in order of first appearance; 64-bit integers where all are, else strings."""
        columns = [self.frame[name] for name in ("pre", "post")]
        self.frame = self.frame.drop("pre", "post")
        if columns[0].dtype == pl.Categorical:
            codes = [column.to_physical().rename("id") for column in columns]
            interleaved = _interleaved(*codes).unique(maintain_order=True)
            spelled = [self._spelled(column, name) for column, name in zip(columns, self.ends, strict=True)]
            both = spelled[0] | spelled[1]
            texts = pl.Series([both[code] for code in interleaved.to_list()], dtype=pl.String)
            names = texts.unique(maintain_order=True)
            numbers = names.cast(pl.Int64, strict=False)
            exact = numbers.null_count() == 0 and bool((numbers.cast(pl.String) == names).all())
            labels: list[int | str] = numbers.to_list() if exact else names.to_list()
            order = texts.replace_strict(names, pl.Series(range(len(names)), dtype=pl.Int32), return_dtype=pl.Int32)
            pre, post = (code.replace_strict(interleaved, order, return_dtype=pl.Int32).to_numpy() for code in codes)
            return labels, pre, post
        from noiseprune.sources.files.kernels import number_ids

        ids, pre, post = number_ids(*(column.to_numpy() for column in columns))
        return ids.tolist(), pre, post

    def _spelled(self, column: pl.Series, name: str) -> dict[int, str]:
        """Spell the categories of a column; whole numbers that a program wrote as floating-point ones as they were."""
        codes = column.unique(maintain_order=True)
        texts = codes.cast(pl.String)
        if texts.str.contains(WHOLE).all():
            floating = texts.filter(texts.str.contains(FLOATING))
            bad = floating.filter(
                floating.str.contains("[eE]") | (floating.cast(pl.Float64, strict=False).abs() >= EXACT_IN_FLOAT)
            )
            if len(bad):
                self._refuse_floating(name, bad[0])
            texts = texts.str.replace(r"\.0+$", "")
        return dict(zip(codes.to_physical().to_list(), texts.to_list(), strict=True))


def said(cell: Any) -> str:
    """Say of a cell that it is no number."""
    return "is empty, where a number was expected" if cell is None else f"holds {cell!r}, which is no finite number"


def _text(name: str, dtype: pl.DataType) -> pl.Expr:
    """A column as text without blanks around it; null where nothing is left."""
    column = pl.col(name) if isinstance(dtype, pl.String) else pl.col(name).cast(pl.String)
    if dtype.is_numeric() or dtype == pl.Boolean:
        return column
    bare = column.str.strip_chars()
    return pl.when(bare != "").then(bare).alias(name)


def _id(name: str, dtype: pl.DataType, *, number: bool) -> pl.Expr:
    """A column of ids: 64-bit integers, or names as categories, each stored once."""
    if number:
        return pl.col(name).cast(pl.Int64)
    if dtype.is_float():  # whole, as was checked
        return pl.col(name).cast(pl.Int64, strict=False).cast(pl.String).cast(pl.Categorical)
    return _text(name, dtype).cast(pl.Categorical)


def _interleaved(pre: pl.Series, post: pl.Series) -> pl.Series:
    both = np.empty(2 * len(pre), dtype=pre.to_numpy().dtype)
    both[0::2], both[1::2] = pre.to_numpy(), post.to_numpy()
    return pl.Series(both)
