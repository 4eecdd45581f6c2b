"""Pictures of a sweep."""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING

from noiseprune.errors import InvalidOption
from noiseprune.view.plots.style import GREY, SERIES, axes_on, finish, legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from noiseprune.experiments.table import Sweep


def sweep_error(table: Sweep, measure: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw an error against density, one line a rule and strengthening, bars of one standard error.

    Parameters
    ----------
    table : Sweep
        What to draw.
    measure : str, optional
        A column of its rows; by default what the recommendation goes by.
    ax : Axes, optional
        Where to draw.

    Raises
    ------
    InvalidOption
        Where no row has that measure.
    """
    measure = measure or table.measure
    lines = [(name, [row for row in rows if row.get(measure) is not None]) for name, rows in table.by_method.items()]
    if not any(rows for _, rows in lines):
        raise InvalidOption(f"no draw of the sweep has a {measure.replace('_', ' ')}")
    ax = axes_on(ax)
    for (name, rows), (colour, marker, style) in zip(lines, cycle(SERIES), strict=False):
        rows = sorted(rows, key=lambda row: row["target_density"])
        ax.errorbar(
            [row["target_density"] for row in rows],
            [row[measure] for row in rows],
            [row[f"{measure}_se"] or 0.0 for row in rows],
            color=colour,
            marker=marker,
            ls=style,
            ms=4.5,
            lw=1.4,
            capsize=3,
            label=name,
        )
    if (best := table.recommended) is not None and best.get(measure) is not None:
        ax.plot(best["target_density"], best[measure], "o", ms=13, mfc="none", mew=1.4, color=GREY, label="recommended")
    if (tolerance := table.provenance.get("tolerance")) is not None and measure == table.measure:
        ax.axhline(tolerance, color=GREY, lw=1, ls=(0, (1, 1)), label=f"tolerance {tolerance:g}")
    ax.set(xlabel="density asked for", ylabel=measure.replace("_", " "))
    values = [row[measure] for _, rows in lines for row in rows]
    if min(values) > 0 and max(values) > 30 * min(values):
        ax.set_yscale("log")
    else:
        ax.set_ylim(0)
    finish(ax)
    legend(ax)
    return ax
