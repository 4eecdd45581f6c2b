"""Edge lists: rows summed into W, with the signs of transmitters and the two directions of electrical synapses."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse as sp

from noiseprune.errors import BadFile, InvalidOption
from noiseprune.network.links import SYMMETRY_EPS
from noiseprune.sources.files import metadata as meta
from noiseprune.sources.files.found import Found, sum_synapses
from noiseprune.sources.files.rows import Rows, Table
from noiseprune.sources.reading import TABLE_OPTIONS, ReadOptions, read_conditions, split_list

MANY_RECIPROCAL = 1.5  # reciprocal pairs that a random network would have, and whose lack is no chance
LARGEST_CHECKED = 1_000_000  # rows
MOST = 0.9  # of the pairs of one side have their like on the other
NO_TRANSMITTER = "none"  # what rows without one are called in signs=


def edge_list(table: Table, path: Path, options: ReadOptions) -> Found:
    """Read an edge list.

    Parameters
    ----------
    table : Table
        The columns.
    path : path
        For errors.
    options : ReadOptions
        Which column is what, which rows count, which sign they have.

    Returns
    -------
    Found
        W (post, pre), ids in order of first appearance, what was summed, dropped, completed.
    """
    options.allow(TABLE_OPTIONS, f"{path} is an edge list, which says pre and post by its columns")
    return weigh(Rows(table, path, options), options)


def weigh(rows: Rows, options: ReadOptions) -> Found:
    """Sum rows into W, (post, pre)."""
    return Found(_Weights(rows, options).summed(), rows.labels, rows.counts, "weights")


class _Weights:
    """The way from rows to W; every step notes what it did in ``rows.counts``."""

    def __init__(self, rows: Rows, options: ReadOptions) -> None:
        self.rows = rows
        self.options = options

    def summed(self) -> sp.csr_array:
        """Sum the rows into W, (post, pre)."""
        if (self.options.inhibitory or self.options.signs is not None) and self.rows.transmitter is None:
            option = "inhibitory=" if self.options.inhibitory else "signs="
            raise BadFile(
                f"{self.rows.path}: {option} needs a column of transmitters; among {self.rows.names()} there is none: name it "
                "with transmitter_column="
            )
        weight = self._magnitudes()
        self._check_sides(weight)
        if self.options.undirected:
            return self._undirected(weight)
        if "electrical" not in self.rows.frame.columns:
            directed = self._chemical(slice(None), weight)
            self._check_directions(directed)
            return directed
        electrical = self.rows.frame["electrical"].to_numpy()
        if not electrical.any():
            column, _ = read_conditions(self.options.electrical)[0]
            raise BadFile(
                f"{self.rows.path}: no row is symmetric; the values of {column} are {self.rows.values_of(column)}"
            )
        junctions, listed_once = self._electrical(electrical, weight)
        chemical = self._chemical(~electrical, weight)
        self.rows.counts["chemical_and_electrical_listed"] = (chemical.sign() * listed_once.sign()).nnz
        self.rows.counts["chemical_and_electrical_summed"] = (chemical.sign() * junctions.sign()).nnz
        return (chemical + junctions).tocsr()

    def _magnitudes(self) -> Any:
        """Return the weights as they are listed, one a row."""
        if self.rows.weight is None:
            self.rows.counts["weight"] = "no such column: each row counts 1"
            return np.ones(self.rows.frame.height)
        return self.rows.frame["weight"].to_numpy()

    def _signed(self, which: Any, weight: Any) -> Any:
        """Give rows the sign of their transmitter."""
        names = self.rows.frame["transmitter"][np.arange(self.rows.frame.height)[which]].cast(pl.String).fill_null("")
        met = names.unique(maintain_order=True).to_list()
        signs = self._signs(met)
        sign = names.replace_strict(signs, return_dtype=pl.Int8).to_numpy()
        words = {1: "+", -1: "-", 0: "dropped"}
        self.rows.counts["transmitters"] = {name or "(none)": words[sign] for name, sign in signs.items()}
        if len(signs) > 1 and min(signs.values()) > 0 and (weight >= 0).all():
            self.rows.caution("no transmitter is inhibitory: inhibitory= names those that are, such as GABA")
        # a file may have its signs already
        return np.where(sign < 0, -np.abs(weight), weight if self.options.signs is None else sign * np.abs(weight))

    def _signs(self, met: list[str]) -> dict[str, int]:
        """Decide the sign of every transmitter that was met."""
        if self.options.signs is not None:
            if self.options.inhibitory:
                raise InvalidOption("give either signs= or inhibitory=")
            table = sign_table(self.options.signs)
            missing = [name or NO_TRANSMITTER for name in met if (name or NO_TRANSMITTER).lower() not in table]
            if missing:
                raise BadFile(
                    f"{self.rows.path}: signs= has no sign for {', '.join(map(repr, missing[:10]))}; it has {', '.join(table)}: "
                    "add 1, -1, or 0 to drop such rows"
                )
            return {name: table[(name or NO_TRANSMITTER).lower()] for name in met}
        inhibitory = {name.lower() for name in split_list(self.options.inhibitory)}
        parts = {name: {name.lower(), *name.lower().split("_")} for name in met}
        for wanted in inhibitory:
            if not any(wanted in words for words in parts.values()):
                raise BadFile(f"{self.rows.path}: no transmitter {wanted!r}; those met are {', '.join(map(repr, met))}")
        return {name: -1 if inhibitory & words else 1 for name, words in parts.items()}

    def _placed(self, which: Any, kind: str, weight: Any) -> sp.csr_array:
        """Sum the rows of two different neurons; count the others, and the rows that were summed."""
        post, pre = self.rows.post[which], self.rows.pre[which]
        off = post != pre
        own = int(np.count_nonzero(~off))
        self.rows.counts[f"{kind}self_connections_dropped"] = own
        if own:
            post, pre, weight = post[off], pre[off], weight[off]
        csr = sum_synapses(post, pre, weight, len(self.rows.labels))
        self.rows.counts[f"{kind}duplicate_rows_summed"] = len(weight) - csr.nnz
        if self.options.threshold is not None:
            small = (
                np.abs(csr.data) if (weight >= 0).all() else sum_synapses(post, pre, np.abs(weight), csr.shape[0]).data
            )
            low = small < self.options.threshold
            self.rows.counts[f"{kind}connections_below_threshold_dropped"] = int(np.count_nonzero(low))
            csr.data[low] = 0
        return csr

    def _chemical(self, which: Any, weight: Any) -> sp.csr_array:
        weight = weight[which]
        if self.rows.transmitter is not None:
            weight = self._signed(which, weight)
        csr = self._placed(which, "", weight)
        below = self.rows.counts.get("connections_below_threshold_dropped", 0)  # zero by now, and counted
        zeros = int(np.count_nonzero(csr.data == 0)) - below
        if zeros:
            self.rows.counts["zero_or_cancelled_weights_dropped"] = zeros
        csr.eliminate_zeros()
        return csr

    def _undirected(self, weight: Any) -> sp.csr_array:
        """Let each row stand for both directions; a pair that is listed both ways counts once."""
        if "electrical" in self.rows.frame.columns:
            raise InvalidOption("undirected=True lets all rows stand for both directions: leave out electrical=")
        once = self._chemical(slice(None), weight)
        there = once.astype(bool).astype(np.float64)
        both = there.multiply(there.T)
        difference = sp.triu((once - once.T).multiply(both), format="coo")
        tolerance = SYMMETRY_EPS * np.finfo(np.float64).eps * np.max(np.abs(once.data), initial=0.0)
        unequal = np.flatnonzero(np.abs(difference.data) > tolerance)
        if unequal.size:
            i, j = int(difference.row[unequal[0]]), int(difference.col[unequal[0]])
            a, b = self.rows.labels[i], self.rows.labels[j]
            raise BadFile(
                f"{self.rows.path}: {a!r} to {b!r} sums to {once[j, i]:g} and {b!r} to {a!r} to {once[i, j]:g} ({unequal.size} "
                "such pairs), where rows that stand for both directions would agree: leave out undirected=True, or mend the rows"
            )
        self.rows.counts["undirected"] = f"each row stands for both directions; {both.nnz // 2} pairs listed both ways"
        return (once + once.T).multiply((there + there.T).power(-1)).tocsr()

    def _check_directions(self, matrix: sp.csr_array) -> None:
        """Point out a list in which no pair has both directions, where chance would leave some."""
        n, m = matrix.shape[0], matrix.nnz
        # pairs with both directions that a random network of this density has
        if self.rows.in_memory or n < 2 or m * m < MANY_RECIPROCAL * 2 * n * (n - 1):
            return
        pattern = matrix.astype(bool)
        if not pattern.multiply(pattern.T).nnz:
            self.rows.caution(
                "no two neurons are connected in both directions, as where each pair is listed once: undirected=True reads each "
                "row for both"
            )

    def _check_sides(self, weight: Any) -> None:
        """Point out a list that has the same connections from both sides, told apart by a column of words."""
        rows = self.rows
        if rows.in_memory or rows.frame.height > LARGEST_CHECKED:
            return
        mirror = _mirrored_rows(rows.pre, rows.post, weight)
        if 2 * mirror.height < rows.frame.height:
            return
        for column, words in rows.words():
            kinds = pl.DataFrame({"row": np.arange(len(words), dtype=np.uint32), "kind": words})
            pairs = mirror.join(kinds, on="row").join(kinds, left_on="other", right_on="row", suffix="_other")
            sides = _sides(words, pairs)
            if sides and _agree(rows, weight, words, *sides):
                keep = ",".join(word for word in words.unique(maintain_order=True).to_list() if word not in sides[1])
                one, other = (", ".join(side) for side in sides)
                rows.caution(
                    f"rows of {column} = {one} and of {column} = {other} list the same connections from both sides: "
                    f"where='{column}={keep}' keeps one"
                )

    def _electrical(self, which: Any, weight: Any) -> tuple[sp.csr_array, sp.csr_array]:
        """Join both neurons of a junction alike, listed twice or once; return also the rows as listed."""
        there_as_listed = self._placed(which, "junction_", weight[which])
        there = (there_as_listed != 0).astype(np.float64)
        times = there + there.T
        total = (there_as_listed + there_as_listed.T).tocsr()
        once = sp.tril(times == 1, format="csr").nnz
        unequal = (there_as_listed - there_as_listed.T).multiply(there.multiply(there.T)).tocsr()
        unequal.eliminate_zeros()
        self.rows.counts["junctions"] = sp.tril(times, format="csr").nnz
        self.rows.counts["junctions_listed_once_completed"] = int(once)
        self.rows.counts["junction_rows_that_disagree_averaged"] = unequal.nnz
        times.data = 1 / times.data
        return total.multiply(times).tocsr(), there_as_listed


def _mirrored_rows(pre: Any, post: Any, weight: Any) -> pl.DataFrame:
    """Return the rows that another row of the same weight turns round, by number, with that row's as "other"."""
    rows = pl.DataFrame({"pre": pre, "post": post, "weight": weight}).with_row_index("row")
    turned = rows.select(
        pl.col("row").alias("other"), pl.col("post").alias("pre"), pl.col("pre").alias("post"), "weight"
    )
    found = rows.join(turned, on=["pre", "post", "weight"]).filter(pl.col("pre") != pl.col("post"))
    return found.select("row", "other")


def _sides(words: pl.Series, pairs: pl.DataFrame) -> tuple[list[str], list[str]] | None:
    """Part the words of a column into two sides, where rows of the one turn most rows of the other round.

    Parameters
    ----------
    words : (rows,) Series of str
        The column.
    pairs : DataFrame
        Rows that turn each other round, by their words, "kind" and "kind_other".
    """
    size = dict(words.value_counts().iter_rows())
    across = pairs.filter(pl.col("kind") != pl.col("kind_other"))
    matched = dict(across.group_by("kind").agg(pl.col("row").n_unique()).iter_rows())
    sided = [word for word in size if 2 * matched.get(word, 0) >= size[word]]
    links = across.group_by("kind", "kind_other").agg(pl.col("row").n_unique().alias("rows"))
    partners: dict[str, set[str]] = {word: set() for word in sided}
    for word, other, rows in links.iter_rows():
        if word in partners and other in partners and 4 * rows >= size[word]:
            partners[word].add(other)
            partners[other].add(word)
    one: list[str] = []
    other_side: list[str] = []
    for start in sorted(sided, key=words.to_list().index):
        if start in one or start in other_side:
            continue
        side = {start: 0}
        queue = [start]
        for word in queue:
            for partner in partners[word]:
                if side.setdefault(partner, 1 - side[word]) == side[word]:
                    return None
                queue += [] if partner in queue else [partner]
        parts = [[word for word in side if side[word] == number] for number in (0, 1)]
        if _alike(parts[1], one) > _alike(parts[0], one):  # S with Sp, R with Rp
            parts.reverse()
        one, other_side = one + parts[0], other_side + parts[1]
    return (one, other_side) if one and other_side else None


def _alike(words: list[str], others: list[str]) -> int:
    """Count the letters that words begin with in common."""
    together = [takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)) for a in words for b in others]
    return sum(len(list(letters)) for letters in together)


def _agree(rows: Rows, weight: Any, words: pl.Series, one: list[str], other: list[str]) -> bool:
    """Whether both sides give nearly all pairs the same total."""
    frame = pl.DataFrame({"pre": rows.pre, "post": rows.post, "weight": weight, "kind": words})
    totals = [
        frame.filter(pl.col("kind").is_in(side)).group_by("pre", "post").agg(pl.col("weight").sum())
        for side in (one, other)
    ]
    turned = totals[1].rename({"pre": "post", "post": "pre"})
    same = totals[0].join(turned, on=["pre", "post", "weight"]).height
    return same >= MOST * max(total.height for total in totals)


def own_weights(table: pl.DataFrame, metadata: meta.Metadata, path: Path) -> sp.csr_array:
    """Read the weights (post, pre) from a table pre, post, weight that we wrote, ids to the letter.

    Parameters
    ----------
    table : DataFrame
        With the columns pre, post and weight.
    metadata : Metadata
        The record of the network.
    path : Path
        The file, for the messages.

    Returns
    -------
    (n_neurons, n_neurons) csr_array
        W in (post, pre) order.

    Raises
    ------
    BadFile
        Where the table has ids that its record does not list.
    """
    labels = meta.labels_of(metadata, path)
    with meta.intact(path):
        n = int(metadata["n_neurons"]) if labels is None else len(labels)
        names = [str(x) for x in (range(n) if labels is None else labels)]
        number = pl.DataFrame({"id": names, "number": np.arange(n)}, schema={"id": pl.String, "number": pl.Int64})
        pre, post = (
            table.select(pl.col(name).cast(pl.String).alias("id")).join(
                number, on="id", how="left", maintain_order="left"
            )["number"]
            for name in ("pre", "post")
        )
        if pre.null_count() or post.null_count():
            raise BadFile(f"{path}: holds ids that its record does not list")
        weight = table["weight"].cast(pl.Float64).to_numpy()
        return sp.csr_array((weight, (post.to_numpy(), pre.to_numpy())), shape=(n, n))


def sign_table(given: Any) -> dict[str, int]:
    """Read signs from {transmitter: sign}, from "ACH=1,GABA=-1", or from a table of two columns.

    Returns
    -------
    dict
        Transmitter in small letters -> 1, -1 or 0.

    Raises
    ------
    InvalidOption
        Where a sign is another number, or a transmitter has two.
    """
    if isinstance(given, Mapping):
        pairs = [(str(name), str(sign)) for name, sign in given.items()]
    elif isinstance(given, str) and "=" in given:
        pairs = [(name, sign) for name, _, sign in (part.partition("=") for part in split_list(given))]
    elif isinstance(given, str | os.PathLike):
        from noiseprune.sources.files import text
        from noiseprune.sources.files.sources import read_bytes

        cells = text.parse(read_bytes(Path(given)), Path(given)).cells
        pairs = [(row[0] or NO_TRANSMITTER, row[1] or "") for row in cells.iter_rows() if len(row) == 2]
        pairs = pairs[1:] if pairs and not _is_sign(pairs[0][1]) else pairs  # a header
    else:
        raise InvalidOption(
            f"signs are a mapping, a text like ACH=1,GABA=-1, or the path of a table; got a {type(given).__name__}"
        )
    if not pairs or not all(_is_sign(sign) for _, sign in pairs):
        bad = next((pair for pair in pairs if not _is_sign(pair[1])), given)
        raise InvalidOption(f"signs are 1, -1 or 0, one for each transmitter, e.g. ACH=1,GABA=-1; got {bad!r}")
    signs = {name.strip().lower(): int(float(sign)) for name, sign in pairs}
    if len(signs) < len(pairs):
        names = [name.strip().lower() for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidOption(f"signs has {twice!r} twice, letter case aside: leave one")
    return signs


def _is_sign(text: str) -> bool:
    try:
        return float(text) in (-1, 0, 1)
    except ValueError:
        return False
