"""The sections of the page of a result: each function returns what the template shows, in the order of the page."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from noiseprune.errors import NoisePruneError
from noiseprune.measure.pair import Pair
from noiseprune.measure.result import Comparison
from noiseprune.network.ordering import cluster_order
from noiseprune.network.structure import component_sizes, newly_disconnected
from noiseprune.view import plots
from noiseprune.view.pages import commands
from noiseprune.view.pages.figures import inline_svg, share_limits
from noiseprune.view.pages.guarantees import guarantees
from noiseprune.view.words import numbers, rows, unmeasured

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from noiseprune.pruning.pipeline import Pruned

logger = logging.getLogger("noiseprune")

NAMED = 8  # neurons and components that are listed one by one
SHORT = (  # the measures that stand at the top of the page
    "n_synapses_after",
    "spectral_abscissa_after",
    "worst_direction",
    "ramanujan_reference",
    "eigenvalue_error.median",
    "eigenvalue_error.slowest",
    "covariance_error",
    "trajectory_error.linear",
    "trajectory_error.rectified",
    "components_after",
    "newly_disconnected",
)


@dataclass(frozen=True)
class Subject:
    """One result on a page; several stand side by side under their names."""

    name: str
    comparison: Comparison | None
    pair: Pair | None = None

    @property
    def result(self) -> Pair | Comparison:
        """What is shown: with its networks where it has them."""
        if self.pair is not None:
            return self.pair
        assert self.comparison is not None
        return self.comparison

    @property
    def pruned(self) -> Pruned | None:
        """The result of a prune, where this is one."""
        from noiseprune.pruning.pipeline import Pruned

        return self.pair if isinstance(self.pair, Pruned) else None

    @property
    def provenance(self) -> Mapping[str, Any]:
        """What led to it; empty where nothing is recorded."""
        return getattr(self.pair, "provenance", {})


class Panel(NamedTuple):
    """One drawing of a figure."""

    label: str
    svg: str


class Figure(NamedTuple):
    """Drawings that are looked at together."""

    title: str
    caption: str
    panels: list[Panel]


class Cell(NamedTuple):
    """A text of a table, and as JSON the numbers behind it."""

    text: str
    numbers: str | None = None


class Table(NamedTuple):
    """A table whose first column names its rows."""

    caption: str
    head: list[str]
    body: list[list[Cell]]


@dataclass
class Section:
    """What the template shows under one heading; `missing` says in words what could not be had."""

    name: str
    title: str
    text: list[str] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    code: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def draw(self, title: str, caption: str, panels: Mapping[str, Callable[[], Axes]], *, alike: bool = True) -> None:
        """Add a figure of one panel a label; a panel that cannot be drawn leaves its reason instead.

        Parameters
        ----------
        title, caption : str
            Of the figure.
        panels : mapping of str to callable
            What draws each panel and returns its axes, by its label.
        alike : bool
            Whether panels get the same limits.
        """
        logger.info("drawing %s", title.lower())
        drawn: dict[str, Axes] = {}
        for label, plot in panels.items():
            try:
                drawn[label] = plot()
            except NoisePruneError as error:
                reason = f"Not drawn. {title}: {error}."
                if reason not in self.missing:
                    self.missing.append(reason)
        if alike:
            share_limits(list(drawn.values()))
        number = len(self.figures)
        made = [
            Panel(label, self._svg(f"{self.name}-{number}-{k}", ax, title, label, caption))
            for k, (label, ax) in enumerate(drawn.items())
        ]
        if made:
            self.figures.append(Figure(title, caption, made))

    def _svg(self, name: str, ax: Axes, title: str, label: str, caption: str) -> str:
        return inline_svg(ax, name=name, title=f"{title}: {label}" if label else title, description=caption)


def all_sections(subjects: Sequence[Subject]) -> list[Section]:
    """Return the sections that have something to show or to say."""
    made = [
        spectrum(subjects),
        slow(subjects),
        probabilities(subjects),
        matrices(subjects),
        trajectories(subjects),
        degrees(subjects),
        structure(subjects),
        guaranteed(subjects),
        provenance(subjects),
    ]
    return [s for s in made if s.text or s.figures or s.tables or s.code or s.missing]


def short_table(subjects: Sequence[Subject]) -> Table | None:
    """Return the numbers that stand at the top."""
    return _measures(subjects, "In numbers", lambda keys: any(key in SHORT for key in keys))


def spectrum(subjects: Sequence[Subject]) -> Section:
    """Eigenvalues before and after."""
    section = Section("spectrum", "Spectrum before and after")
    caption = (
        "Every eigenvalue of A and of A'. Where after follows before, every mode decays as it did; on the left of a "
        "symmetric network stand the slow modes, which matter most to its dynamics."
        if all(s.pair is None or s.pair.original.symmetric for s in subjects)
        else "Every eigenvalue of A and of A' in the complex plane. The rightmost decide stability: right of the dashed "
        "line at zero activity grows without bound."
    )
    section.draw("Spectrum", caption, _each(subjects, plots.spectrum))
    return section


def slow(subjects: Sequence[Subject]) -> Section:
    """The worst direction and the slowest modes."""
    section = Section("slow", "Worst direction and slowest modes")
    section.draw(
        "Every direction",
        "How many directions x of activity had x'(-A)x changed by what factor; 1 is unchanged, and the theorem speaks of "
        "the worst two (triangles). The band is the Ramanujan reference: what the best sparsifiers of large complete "
        "graphs reach at this mean degree, a yardstick and no bound.",
        _each(subjects, plots.worst_direction),
    )
    section.draw(
        "Slowest modes",
        "Rates of the ten eigenvalues nearest zero. The slowest modes are the network's memory: a diamond off its circle "
        "is a memory that fades sooner or later than it did.",
        {s.name: partial(plots.slowest_modes, s.result) for s in subjects},
    )
    return section


def probabilities(subjects: Sequence[Subject]) -> Section:
    """Keep probability against weight and against difference variance."""
    section = Section("probability", "Keep probability")
    results = {s.name: s.pruned for s in subjects if s.pruned is not None}
    readings: dict[Literal["weight", "variance"], tuple[str, str]] = {
        "weight": (
            "Against weight",
            "Each synapse's chance to be kept, by its weight. A rule that reads weights alone draws a line; how far the "
            "cloud spreads is how much else the rule saw.",
        ),
        "variance": (
            "Against difference variance",
            "The same by the variance that noise puts between its two neurons. Small: they move together through other "
            "paths, and the synapse is redundant.",
        ),
    }
    for against, (title, caption) in readings.items():
        panels = {name: partial(plots.keep_probability, result, against) for name, result in results.items()}
        section.draw(title, caption, panels)
    for name, result in results.items():
        p = result.probability
        K = "ranks, without a constant" if p.constant is None else f"K = {p.constant:.4g}"
        certain = f"{p.n_certain:,} of {len(p):,} synapses are kept for certain, {p.expected_synapses:,.0f} on average."
        section.text.append(_said(name, f"{K}; {certain}"))
    return section


def matrices(subjects: Sequence[Subject]) -> Section:
    """Weight matrices before and after, clusters together."""
    section = Section("weights", "Weights before and after")
    pairs = {s.name: s.pair for s in subjects if s.pair is not None}
    if not pairs:
        return section
    first = next(iter(pairs.values()))
    original = first.original
    order = cluster_order(original)
    panels: dict[str, Callable[[], Axes]] = {"before": partial(plots.weights, first, "before", order=order)}
    for name, pair in pairs.items():
        panels[f"after, {name}" if name else "after"] = partial(plots.weights, pair, "after", order=order)
    many = original.n_neurons > plots.PIXELS
    section.draw(
        "Weight matrices",
        "Neurons that are connected strongly stand together, in the same order on all sides. Blue is positive, orange "
        "(lighter in print) negative, the deeper the stronger."
        + (" A pixel sums the weights between two groups of neurons." if many else ""),
        panels,
    )
    return section


def trajectories(subjects: Sequence[Subject]) -> Section:
    """Both networks under the same noise and the same step input."""
    section = Section("trajectories", "Trajectories")
    panels = {
        f"{s.name}, {activation}" if s.name else activation: partial(plots.trajectories, s.pair, activation)
        for s in subjects
        if s.pair is not None
        for activation in ("linear", "rectified")
    }
    section.draw(
        "Trajectories, linear and rectified-linear",
        "From rest, a constant input is switched on at time zero, and both networks see the same noise. Broad pale lines "
        f"are before, dashed ones after, for a typical neuron and for the worst of {plots.WATCHED} at random; they should "
        "lie on each other. Runs of very large networks are cut short.",
        panels,
        alike=False,
    )
    return section


def degrees(subjects: Sequence[Subject]) -> Section:
    """Degree and strength."""
    section = Section("degree", "Degree and strength")
    symmetric = all(s.pair is None or s.pair.original.symmetric for s in subjects)
    for direction, title in (("in", "Degree"),) if symmetric else (("in", "In-degree"), ("out", "Out-degree")):
        section.draw(
            title,
            "Neurons by their number of synapses. Pruning moves them to the left; a bar at zero is neurons cut off.",
            _each(subjects, plots.degrees, direction=direction),
        )
    section.draw(
        "Strength",
        "Each neuron's total absolute input. On the line, what was strengthened made up for what was pruned.",
        _each(subjects, plots.strengths),
    )
    return section


def structure(subjects: Sequence[Subject]) -> Section:
    """Components and neurons that were cut off."""
    section = Section("components", "Components and newly disconnected neurons")
    wanted = ("components_after", "newly_disconnected")
    table = _measures(subjects, "What hangs together", lambda keys: any(key in wanted for key in keys))
    if table is not None:
        section.tables.append(table)
    for s in subjects:
        if s.pair is None:
            continue
        original, network = s.pair.original, s.pair.network
        before, after = (_sizes(component_sizes(net)) for net in (original, network))
        section.text.append(_said(s.name, f"components of {before} neurons before, and of {after} after."))
        lost = newly_disconnected(original, network).nonzero()[0]
        named = ", ".join(original.name(int(k)) for k in lost[:NAMED])
        more = f" and {lost.size - NAMED:,} more" if lost.size > NAMED else ""
        if lost.size == original.n_neurons:
            section.text.append(
                _said(s.name, "every neuron is newly disconnected: each lost its last input or its last output.")
            )
        elif lost.size:
            section.text.append(_said(s.name, f"lost the last input or the last output: {named}{more}."))
        else:
            section.text.append(_said(s.name, "no neuron lost its last input or output."))
    if any(s.pair is not None and s.pair.original.n_neurons == 1 for s in subjects):
        section.text.append("A single neuron has no synapses, so there was nothing to prune.")
    return section


def guaranteed(subjects: Sequence[Subject]) -> Section:
    """What the theorem guarantees, and what is only measured."""
    section = Section("guarantee", "What is guaranteed, and what is only measured")
    for s in subjects:
        if s.pruned is not None:
            section.text.append(_said(s.name, " ".join(guarantees(s.pruned))))
    if any(s.comparison is not None for s in subjects):
        section.text.append("Everything in the table is measured on this one draw, and promised by nothing else.")
    table = _measures(subjects, "Measured", lambda _: True)
    if table is not None:
        section.tables.append(table)
    section.missing += unmeasured(s.comparison for s in subjects if s.comparison is not None)
    if any(s.comparison is None for s in subjects):
        section.missing.append("Nothing was measured: the result was made with compare=False (--no-compare).")
    return section


def provenance(subjects: Sequence[Subject]) -> Section:
    """Where it came from, and how to make it again."""
    section = Section("provenance", "Provenance")
    for s in subjects:
        record = s.provenance
        if s.pruned is not None:
            section.code[_said(s.name, "again, in Python")] = commands.in_python(record)
            section.code[_said(s.name, "again, in a shell")] = commands.in_shell(record)
            section.tables.append(record_table(_said(s.name, "record"), record))
        elif "command" in record:
            section.code["Again, in a shell"] = record["command"]
    return section


def record_table(caption: str, record: Mapping[str, Any]) -> Table:
    """Show a provenance, one row an entry, nested entries as they are in JSON."""
    body = []
    for name, value in record.items():
        if name == "command":
            continue
        flat = value.items() if isinstance(value, dict) else [("", value)]
        for key, item in flat:
            if item in ({}, [], ""):
                continue
            text = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)
            body.append([Cell(f"{name} {key}".strip().replace("_", " ")), Cell(text)])
    return Table(caption, ["entry", "value"], body)


def _measures(subjects: Sequence[Subject], caption: str, wanted: Callable[[tuple[str, ...]], bool]) -> Table | None:
    """Return measures as a table, every cell with the numbers behind it."""
    known = {s.name or "value": s.comparison for s in subjects if s.comparison is not None}
    if not known:
        return None
    body = [
        [
            Cell(row.name.strip()),
            *(
                Cell(text, json.dumps(numbers(c, row), allow_nan=False))
                for c, text in zip(known.values(), row.values, strict=True)
            ),
            Cell(row.meaning),
        ]
        for row in rows(known)
        if wanted(row.keys)
    ]
    return Table(caption, ["measure", *known, "meaning"], body) if body else None


def _each(subjects: Sequence[Subject], plot: Callable[..., Axes], **options: Any) -> dict[str, Callable[[], Axes]]:
    return {s.name: partial(plot, s.pair, **options) for s in subjects if s.pair is not None}


def _said(name: str, sentence: str) -> str:
    """Begin a sentence with a capital letter, and where there are several subjects with the name of its own."""
    said = f"{name}: {sentence}" if name else sentence
    return said[0].upper() + said[1:]


def _sizes(sizes: Any) -> str:
    listed = ", ".join(f"{size:,}" for size in sizes[:NAMED])
    return f"{listed} and {sizes.size - NAMED:,} more" if sizes.size > NAMED else listed
