"""The page of a run: how the network developed, then what it was and what it became."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from noiseprune.view.pages.sections import (
    Cell,
    Section,
    Subject,
    Table,
    degrees,
    guaranteed,
    matrices,
    record_table,
    short_table,
    spectrum,
    structure,
    trajectories,
)
from noiseprune.view.plots import development as plots
from noiseprune.view.words import share

if TYPE_CHECKING:
    from noiseprune.plasticity import Development

LISTED = {  # of a record, in the order of the table
    "time": "time (s)",
    "synapses": "synapses",
    "K": "K",
    "spectral_abscissa": "abscissa (1/s)",
    "worst_direction": "worst direction",
    "eigenvalue_error_median": "eigenvalue error, median",
    "eigenvalue_error_slowest": "ten slowest",
    "activity_variance": "variance of activity",
}
MAX_ROWS = 60  # of the table; a longer run shows every second, third, ... record


def run_content(trace: Development) -> dict[str, Any]:
    """Return what the template shows of a run."""
    pair = [Subject("", trace.comparison, trace)]
    schedule = trace.provenance["options"]["schedule"]
    file = trace.original.origin.get("file") or f"A network of {trace.original.n_neurons:,} neurons"
    sections = [development(trace), *(draw(pair) for draw in (spectrum, matrices, trajectories, degrees, structure))]
    if trace.comparison is not None:
        sections.append(guaranteed(pair))
    return {
        "title": f"{file}, pruned while it ran",
        "introduction": f"The network ran with noise for {trace.time[-1]:.4g} s. Every synapse followed the difference of its "
        "two neurons and decided by its own weight, that trace, a private random number and one constant K "
        f"(schedule {schedule}).",
        "verdicts": [("", _verdict(trace), _abscissa(trace) is not None and not _stable(trace))],
        "notes": [],
        "short": short_table(pair),
        "sections": [*sections, provenance(trace)],
        "slider": None,
    }


def development(trace: Development) -> Section:
    """What was recorded while it ran."""
    section = Section("development", "How it developed")
    for title, caption, plot in (
        ("Synapses", "The share that is left, and K where synapses decided.", plots.synapses),
        ("Weights", "Absolute weights of the synapses that are left; what survives is strengthened.", plots.weights),
        (
            "Preservation",
            "How far the spectrum is from what it was; each decision costs, and averaging more would have cost less.",
            plots.preservation,
        ),
    ):
        section.draw(title, caption, {"": partial(plot, trace)})
    section.tables.append(_records(trace))
    return section


def provenance(trace: Development) -> Section:
    """Where it came from, and how to make it again."""
    section = Section("provenance", "Provenance", tables=[record_table("Record", trace.provenance)])
    options = {name: value for name, value in trace.provenance["options"].items() if value is not None}
    given = "".join(f", {name}={value!r}" for name, value in options.items() if name != "drive")
    section.code["Again, in Python"] = f"trace = noiseprune.run(net{given}, rng={trace.provenance['seed']})"
    if "command" in trace.provenance:
        section.code["Again, in a shell"] = trace.provenance["command"]
    return section


def _verdict(trace: Development) -> str:
    before, after = trace.original.n_synapses, trace.network.n_synapses
    said = [f"Kept {share(after / before if before else None)} of {before:,} synapses"]
    abscissa = _abscissa(trace)
    if abscissa is None:
        said.append("stability not looked at")
    else:
        said.append("stable" if _stable(trace) else f"UNSTABLE (spectral abscissa {abscissa:+.3g} 1/s)")
    worst = trace.records[-1].get("worst_direction")
    if worst is not None:
        said.append(f"worst direction {worst:.3g}")
    return "; ".join(said) + "."


def _abscissa(trace: Development) -> float | None:
    return trace.records[-1].get("spectral_abscissa")


def _stable(trace: Development) -> bool:
    from noiseprune.dynamics.stationary import is_stable

    return bool(is_stable(trace.network, _abscissa(trace)))


def _records(trace: Development) -> Table:
    step = -(-len(trace.records) // MAX_ROWS)
    shown = trace.records[::step]
    if shown[-1] is not trace.records[-1]:
        shown = [*shown, trace.records[-1]]
    names = [name for name in LISTED if any(row.get(name) is not None for row in shown)]
    body = [[_cell(name, row.get(name)) for name in names] for row in shown]
    return Table("Records", [LISTED[name] for name in names], body)


def _cell(name: str, value: Any) -> Cell:
    text = "-" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
    return Cell(text, json.dumps({name: value}))
