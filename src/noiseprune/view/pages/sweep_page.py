"""The page of a sweep: error against density, a slider through its densities, the recommendation marked."""

from __future__ import annotations

import base64
import io
import json
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noiseprune.measure.snapshots import spectrum_of, sums_of
from noiseprune.view import plots
from noiseprune.view.pages.figures import inline_svg
from noiseprune.view.pages.sections import Cell, Section, Table, record_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from noiseprune.experiments.table import Sweep

MAX_FRAMES = 100  # pictures on a page, some ten kilobytes each
MEANING = {  # of the measures that are drawn, where they were measured; the one that decides comes first
    "worst_direction": "The largest relative change of x'(-A)x over all directions x.",
    "trajectory_error_linear": "How far noisy runs of linear neurons differ under the same input and noise, as a share of "
    "their size.",
    "eigenvalue_error_slowest": "The median relative error of the ten slowest eigenvalues.",
    "covariance_error": "The relative error of the noise-driven covariance.",
    "components_after": "Connected pieces, which no strengthening joins again.",
}
LISTED = ("trajectory_error_linear", "covariance_error", "components_after", "newly_disconnected")


class Slider(NamedTuple):
    """What the slider shows: an empty spectrum with room for dots, and what to put in for every choice."""

    svg: str
    before: str
    methods: list[str]
    frames: list[dict[str, Any]]
    start: dict[str, Any]


def sweep_content(table: Sweep) -> dict[str, Any]:
    """Return what the template shows of a sweep."""
    slider = _slider(table)
    return {
        "title": f"A sweep of {len(table.rows)} choices, {len(table.cases):,} draws",
        "introduction": "Each choice of density, rule and strengthening was drawn several times; errors are means over "
        "these draws, bars one standard error.",
        "verdicts": [
            ("", _recommendation(table), table.recommended is None and table.provenance["tolerance"] is not None)
        ],
        "notes": [],
        "short": None,
        "sections": [_errors(table), _densities(slider), _rows(table), _provenance(table)],
        "slider": slider,
    }


def _recommendation(table: Sweep) -> str:
    best, criterion = table.recommended, table.criterion.replace("_", " ")
    if best is None:
        asked = table.provenance["tolerance"] is not None
        return (
            f"None of these choices is recommended ({criterion})."
            if asked
            else "No tolerance was given, so nothing is recommended."
        )
    error = f"{table.measure.replace('_', ' ')} {_with_error(best, table.measure)}"
    return (
        f"Recommended: density {best['target_density']:g}, rule {best['rule']}, strengthen {best['strengthen']}, with a mean "
        f"{error} ({criterion})."
    )


def _errors(table: Sweep) -> Section:
    section = Section("errors", "Error against density")
    for measure in dict.fromkeys((table.measure, *MEANING)):
        decides = " The recommendation goes by this." if measure == table.measure else ""
        section.draw(
            measure.replace("_", " ").capitalize(),
            f"{MEANING[measure]}{decides}",
            {"": partial(plots.sweep_error, table, measure)},
        )
    return section


def _densities(slider: Slider | None) -> Section:
    section = Section("densities", "One density at a time")
    if slider is None:
        section.missing.append(
            "The sweep holds no pictures: an earlier version made it, or every first draw was refused."
        )
    elif slider.svg == "":
        section.missing.append("Not drawn. Spectrum: it takes dense algebra, which stops below this size.")
    return section


def _rows(table: Sweep) -> Section:
    measures = [m for m in dict.fromkeys((table.measure, *LISTED)) if any(row[m] is not None for row in table.rows)]
    body = [
        [
            Cell(f"{row['target_density']:g}" + (" (recommended)" if row == table.recommended else "")),
            Cell(row["rule"]),
            Cell(row["strengthen"]),
            Cell(
                "refused" if row["stable"] is None else f"{100 * row['stable']:.0f} %",
                json.dumps({"stable": row["stable"]}),
            ),
            *(Cell(_with_error(row, m), json.dumps({m: row[m], f"{m}_se": row[f"{m}_se"]})) for m in measures),
        ]
        for row in table.rows
    ]
    head = ["density", "rule", "strengthen", "stable", *(m.replace("_", " ") for m in measures)]
    section = Section("rows", "Every choice", tables=[Table("Mean ± standard error over the draws", head, body)])
    refused = {case["refused"] for case in table.cases if case["refused"]}
    section.text += [f"Some draws were refused: {why}." for why in sorted(refused)]
    return section


def _provenance(table: Sweep) -> Section:
    section = Section("provenance", "Provenance", tables=[record_table("Record", table.provenance)])
    if "command" in table.provenance:
        section.code["Again, in a shell"] = table.provenance["command"]
    options = ", ".join(
        f"{name}={list(dict.fromkeys(row[key] for row in table.rows))!r}"
        for name, key in (("densities", "target_density"), ("rules", "rule"), ("strengthens", "strengthen"))
    )
    record = table.provenance
    more = "".join(f", {name}={record[name]!r}" for name in ("draws", "tolerance", "keep_connected"))
    section.code["Again, in Python"] = f"table = noiseprune.sweep(net, {options}{more}, rng={record['seed']})"
    return section


def _with_error(row: dict[str, Any], measure: str) -> str:
    if row[measure] is None:
        return "-"
    error = row[f"{measure}_se"]
    return f"{row[measure]:.3g}" if error is None else f"{row[measure]:.3g} ± {error:.1g}".replace(" ", "\u00a0")


# --- the slider -----------------------------------------------------------------------------------------------------


def _slider(table: Sweep) -> Slider | None:
    pictures = table.pictures.get("after", [])[:MAX_FRAMES]
    if not pictures:
        return None
    before = spectrum_of(table.pictures["before"])
    spectra = [spectrum_of(picture) for picture in pictures]
    svg, dots = _spectrum(before, spectra)
    rows = {_choice(row): (name, row) for name, rows in table.by_method.items() for row in rows}
    frames: list[dict[str, Any]] = []
    for picture, path in zip(pictures, dots, strict=True):
        name, row = rows[_choice(picture)]
        density = f"{row['target_density']:g}"
        best = " Recommended." if row == table.recommended else ""
        frames.append(
            {
                "method": name,
                "density": density,
                "dots": path,
                "image": _png(sums_of(picture)),
                "said": f"Density {density}: {table.measure.replace('_', ' ')} {_with_error(row, table.measure)}, stable in "
                f"{100 * (row['stable'] or 0):.0f} % of the draws.{best}",
                "recommended": bool(best),
            }
        )
    frames.sort(key=lambda frame: (frame["method"], float(frame["density"])))
    start = next((frame for frame in frames if frame["recommended"]), frames[0])
    methods = list(dict.fromkeys(frame["method"] for frame in frames))
    return Slider(svg, _png(sums_of(table.pictures["before"])), methods, frames, start)


def _choice(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["target_density"], row["rule"], row["strengthen"]


def _spectrum(before: NDArray[Any] | None, spectra: list[NDArray[Any] | None]) -> tuple[str, list[str]]:
    """Return a spectrum in which the dots of after are a path to be filled in, and that path for every spectrum."""
    known = [s for s in spectra if s is not None]
    if before is None or len(known) < len(spectra):
        return "", [""] * len(spectra)
    from matplotlib.figure import Figure

    ax = Figure(plots.SIZE, layout="constrained").add_subplot()
    plots.draw_spectrum(ax, before, *known).remove()
    figure: Any = ax.figure
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    paths = [_dots(ax, plots.spectrum_points(s)) for s in known]
    svg = inline_svg(
        ax,
        name="slider",
        title="Spectrum at the density that is chosen",
        description="Grey: before. Blue dots: after, of one draw; the slider changes them.",
    )
    return svg.replace("</svg>", '<path id="slider-dots" class="dots"/></svg>'), paths


def _dots(ax: Axes, where: NDArray[np.float64]) -> str:
    """Write points as the data of an SVG path of zero-length strokes, in the coordinates of the figure's SVG."""
    figure: Any = ax.figure
    points = figure.transFigure.inverted().transform(ax.transData.transform(where.T))
    width, height = 72 * figure.get_size_inches()
    points = points[np.all(np.isfinite(points), axis=1)] * [width, -height] + [0, height]
    return "".join(f"M{px:.1f} {py:.1f}h0" for px, py in points)


def _png(sums: NDArray[np.float64]) -> str:
    from matplotlib.image import imsave

    raw = io.BytesIO()
    imsave(raw, plots.pixels(sums, 1.0), format="png")
    return "data:image/png;base64," + base64.b64encode(raw.getvalue()).decode()
