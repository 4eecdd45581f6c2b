"""What a user may say about a file: the options of `noiseprune.read`, declared once, with what the command line says of them.

Nothing here is heavy, so that the command line can show its help quickly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any, Literal

from noiseprune.errors import InvalidOption
from noiseprune.machine.declared import declared

Condition = str | Mapping[str, str | Sequence[str]]
Content = Literal["weights", "operator", "laplacian"]
BaseLeak = float | Literal["dominant"]

# Of an option, `table` says that it is about edge lists only, `header` that it tells that these have names for their columns.
ALIASES = {"symmetric_rows": "electrical"}  # names of the first release


@dataclass(frozen=True)
class LeakOptions:
    """The leak of weights that have none; see `noiseprune.with_base_leak`."""

    content: Content | None = declared(
        "Square matrix: weights, operator (W - diag(leak)) or laplacian; its diagonal tells the first two.", cli=str
    )
    base_leak: BaseLeak | None = declared(
        'Leak for weights that have none: "dominant" (the default), or a rate in 1/s.', cli=str
    )
    margin: float | None = declared("dominant: how far the leak exceeds a neuron's total input, by default 0.05.")
    gain: float | None = declared("a rate: scale W to this spectral abscissa over the rate, by default 0.9.")

    def refuse(self, why: str) -> None:
        """Refuse any of them, where there is a leak already.

        Raises
        ------
        InvalidOption
            Where one was given; `why` says whose the leak is.
        """
        wrong = [f.name for f in fields(self) if getattr(self, f.name) is not None]
        if wrong:
            raise InvalidOption(f"{why}: leave {' and '.join(wrong)} out")


@dataclass(frozen=True)
class ReadOptions:
    """How to read a file; see `noiseprune.read`, whose parameters these are."""

    orientation: str | None = declared(
        "Square matrix: pre-post (a row holds what a neuron sends) or post-pre.", cli=str
    )
    variable: str | None = declared(
        "Which one, where a file holds several: matrix, field of a struct, population, graph."
    )
    pre: str | None = declared("Column of the sending neuron.", table=True, header=True)
    post: str | None = declared("Column of the receiving neuron.", table=True, header=True)
    weight: str | None = declared("Column, or attribute of an edge, that holds the weight.", table=True, header=True)
    threshold: float | None = declared(
        "Drop connections whose rows sum to less than this, e.g. 5 synapses.", table=True
    )
    where: Condition | Sequence[Condition] = declared(
        "Keep rows with COLUMN=VALUE[,VALUE]; repeat for and.", default=(), cli=list[str], table=True, header=True
    )
    electrical: Condition | Sequence[Condition] = declared(
        "Rows that are electrical synapses: COLUMN=VALUE[,VALUE].",
        default=(),
        cli=list[str],
        table=True,
        header=True,
        flags=("--symmetric-rows",),
    )
    inhibitory: str | Sequence[str] = declared(
        "Transmitters with negative synapses, e.g. GABA; commas or repeat.",
        default=(),
        cli=list[str],
        table=True,
        header=True,
    )
    signs: Any = declared(
        "Sign of every transmitter: ACH=1,GABA=-1,DA=0 (0 drops), or a table transmitter,sign.",
        cli=str,
        table=True,
        header=True,
    )
    transmitter_column: str | None = declared("Column of transmitters.", table=True, header=True)
    decimal_comma: bool = declared("Numbers in text are written 0,5.", default=False, table=True)
    no_header: bool = declared(
        "The first row is data; --pre, --post and --weight count columns from 1.", default=False, table=True
    )
    undirected: bool = declared("Edge list: each row stands for both directions.", default=False, table=True)
    symmetrise: bool = declared("Square matrix: take its symmetric part, (W + W^T) / 2.", default=False)
    sheet: str | None = declared("Spreadsheet: the sheet to read, by name or number from 1.")
    index: int | None = declared("Stack of matrices (three axes): which one to read, from 0.")
    mean: bool = declared("Stack of matrices (three axes): read their mean.", default=False)
    labels: Any = declared("Square matrix: a file with the names of the neurons, one a line.", cli=str)
    edge_types: Any = declared("SONATA: the table of edge types, where it is not found beside the file.", cli=str)

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
        return any(f.metadata.get("header") and is_given(getattr(self, f.name)) for f in fields(self))

    def allow(self, allowed: Sequence[str], what: str) -> None:
        """Refuse options that make no sense for what the file turned out to be.

        Raises
        ------
        InvalidOption
            Naming those that were given and are not among `allowed`.
        """
        wrong = [f"{name}=" for name in self.given() if name not in allowed]
        if wrong:
            raise InvalidOption(f"{what}: leave out {', '.join(wrong)}")


TABLE_OPTIONS = tuple(f.name for f in fields(ReadOptions) if f.metadata.get("table"))
DECLARATIONS = (ReadOptions, LeakOptions)


def read_options(given: Mapping[str, Any]) -> tuple[ReadOptions, LeakOptions]:
    """Sort what a user gave into options, old names included.

    Raises
    ------
    InvalidOption
        Where there is no such option.
    """
    current = {ALIASES.get(name, name): value for name, value in given.items()}
    known = [{f.name for f in fields(declaration)} for declaration in DECLARATIONS]
    unknown = [name for name in current if not any(name in names for names in known)]
    if unknown:
        there = ", ".join(sorted(known[0] | known[1]))
        raise InvalidOption(f"reading has no option {' and no '.join(unknown)}; those it has are {there}")
    reading, leak = ({name: x for name, x in current.items() if name in names} for names in known)
    return ReadOptions(**reading), LeakOptions(**leak)


def is_given(value: Any) -> bool:
    """Whether an option was given; 0 was, and so was any object that is no text or list."""
    return value is not None and value is not False and not (isinstance(value, str | list | tuple | dict) and not value)


def split_list(given: Any) -> list[str]:
    """Split at commas what was given as one text or number or several."""
    several = [given] if isinstance(given, str) or not hasattr(given, "__iter__") else given
    return [part.strip() for text in several for part in str(text).split(",") if part.strip()]


def read_conditions(given: Condition | Sequence[Condition]) -> list[tuple[str, list[str]]]:
    """Read "COLUMN=VALUE,VALUE" and {column: values} alike; never evaluated as code.

    Raises
    ------
    InvalidOption
        Where a condition is written otherwise.
    """
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
