"""What a user may say about a file, and what a reader found in it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from numbers import Real
from typing import Any, Literal

import scipy.sparse as sp

from noiseprune.errors import InvalidOption

Condition = str | Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class ReadOptions:
    """How to read a file; see `noiseprune.read`, whose parameters these are."""

    orientation: str | None = None
    variable: str | None = None
    pre: str | None = None
    post: str | None = None
    weight: str | None = None
    threshold: float | None = None
    where: Condition | Sequence[Condition] = ()
    electrical: Condition | Sequence[Condition] = ()
    inhibitory: str | Sequence[str] = ()
    signs: Any = None
    transmitter_column: str | None = None
    decimal_comma: bool = False
    no_header: bool = False
    undirected: bool = False
    symmetrise: bool = False
    sheet: str | None = None
    index: int | None = None
    mean: bool = False
    labels: Any = None
    edge_types: Any = None

    def __post_init__(self) -> None:
        """Refuse what no file could be read with."""
        given: Any = self.threshold
        if given is not None and not (isinstance(given, Real) and 0 < float(given) < math.inf):
            raise InvalidOption(f"threshold must be a finite number above 0; got {given!r}")
        read_conditions(self.where)
        read_conditions(self.electrical)

    def given(self) -> list[str]:
        """Names of the options that a user gave."""
        return [f.name for f in fields(self) if is_given(getattr(self, f.name))]

    def about_tables(self) -> bool:
        """Whether any of them says that the file is an edge list with names for its columns."""
        nameless = ("decimal_comma", "threshold", "no_header", "undirected")
        return any(name in TABLE_OPTIONS and name not in nameless for name in self.given())

    def allow(self, allowed: Sequence[str], what: str) -> None:
        """Refuse options that make no sense for what the file turned out to be.

        Raises
        ------
        InvalidOption
            Naming those that were given and are not among `allowed`.
        """
        wrong = [f"--{name.replace('_', '-')}" for name in self.given() if name not in allowed]
        if wrong:
            raise InvalidOption(f"{what}: leave out {', '.join(wrong)}")


def is_given(value: Any) -> bool:
    """Whether an option was given; 0 was, and so was any object that is no text or list."""
    return value is not None and value is not False and not (isinstance(value, str | list | tuple | dict) and not value)


TABLE_OPTIONS = (
    "pre",
    "post",
    "weight",
    "threshold",
    "where",
    "electrical",
    "inhibitory",
    "signs",
    "transmitter_column",
    "decimal_comma",
    "no_header",
    "undirected",
)


@dataclass(frozen=True)
class Found:
    """Weights or an operator that a file held, without the rest of a network.

    Attributes
    ----------
    matrix : (n_neurons, n_neurons) array or SciPy sparse
        In (post, pre) order.
    labels : list of int or str, or None
        One name a neuron.
    counts : dict
        What was found, summed, dropped, completed.
    content : "weights" or None
        "weights" where the format says so; else the diagonal tells.
    leak : (n_neurons,) array or None
        Where the format has one beside the weights.
    """

    matrix: Any
    labels: list[int | str] | None = None
    counts: dict[str, Any] = field(default_factory=dict)
    content: Literal["weights"] | None = None
    leak: Any = None


def sum_synapses(post: Any, pre: Any, weight: Any, n: int) -> sp.csr_array:
    """Sum synapses into a canonical CSR array, (post, pre).

    Two transpositions sort the columns of every row in linear time, where SciPy's own way compares.
    """
    by_pre = sp.coo_array((weight, (pre, post)), shape=(n, n))
    by_pre.has_canonical_format = True  # keeps SciPy from sorting and summing here; it is done once, below
    csr = by_pre.tocsr().T.tocsr()
    csr.has_canonical_format, csr.has_sorted_indices = False, True
    csr.sum_duplicates()
    return csr


def split_list(given: Any) -> list[str]:
    """Split at commas what was given as one text or number or several."""
    several = [given] if isinstance(given, str) or not hasattr(given, "__iter__") else given
    return [part.strip() for text in several for part in str(text).split(",") if part.strip()]


def with_points(column: Any) -> Any:
    """Write 0,5 as 0.5; null where there is a dot, which beside decimal commas separates thousands."""
    import polars as pl

    return pl.when(~column.str.contains(".", literal=True)).then(column.str.replace(",", ".", literal=True))


def read_conditions(given: Condition | Sequence[Condition]) -> list[tuple[str, list[str]]]:
    """Read "COLUMN=VALUE,VALUE" and {column: values} alike; never evaluated as code."""
    several: Any = given if isinstance(given, list | tuple) else [given]
    found: list[tuple[str, list[str]]] = []
    for condition in several:
        if isinstance(condition, Mapping):
            found += [(column, split_list(values)) for column, values in condition.items()]
            continue
        column, equals, values = str(condition).partition("=")
        if not equals or not column.strip() or not split_list(values):
            raise InvalidOption(f"a condition is written COLUMN=VALUE or COLUMN=VALUE,VALUE; got {condition!r}")
        found.append((column.strip(), split_list(values)))
    return found
