"""Plots of a run: each takes a `Development`, draws on matplotlib axes and returns them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from noiseprune.errors import InvalidNetwork, InvalidOption
from noiseprune.plasticity.development import Development
from noiseprune.view.plots import style as plots

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SERIES = ((plots.BLUE, "-"), (plots.VERMILION, "--"), (plots.GREEN, "-."))


def synapses(trace: Development, ax: Axes | None = None) -> Axes:
    """Draw the share of the synapses that is left, from when each went, and K where synapses have decided.

    Parameters
    ----------
    trace : Development
    ax : Axes, optional
        Where to draw.
    """
    _check_synapses(trace)
    ax = plots.axes_on(ax)
    ax.step(*_survival(trace, np.ones(trace.original.n_links, dtype=np.bool_)), where="post", color=plots.BLUE)
    ax.set(xlabel="time, s", ylabel="share of the synapses left", ylim=(0, None))
    decided = [row for row in trace.records if row["K"] is not None]
    if decided:
        right = ax.twinx()
        right.plot(
            [r["time"] for r in decided], [r["K"] for r in decided], color=plots.VERMILION, ls="--", marker="^", ms=3
        )
        right.set(ylabel="K (dashed)", yscale="log")
        right.spines[["top", "left", "bottom"]].set_visible(False)
    plots.finish(ax)
    return ax


def _check_synapses(trace: Development) -> None:
    if not trace.original.n_links:
        raise InvalidNetwork("the original has no synapses, so there is nothing to draw")


def weights(trace: Development, ax: Axes | None = None) -> Axes:
    """Draw the quantiles of absolute weights against time: median, quartiles, 5 and 95 %.

    Parameters
    ----------
    trace : Development
    ax : Axes, optional
        Where to draw.
    """
    _check_synapses(trace)
    ax = plots.axes_on(ax)
    q = {name: _column(trace, f"weight_q{name}") for name in ("05", "25", "50", "75", "95")}
    ax.fill_between(trace.time, q["05"], q["95"], color=plots.BLUE, alpha=0.15, lw=0, label="5 to 95 %")
    ax.fill_between(trace.time, q["25"], q["75"], color=plots.BLUE, alpha=0.35, lw=0, label="25 to 75 %")
    ax.plot(trace.time, q["50"], color=plots.BLUE, label="median")
    ax.set(xlabel="time, s", ylabel="absolute weight", yscale="log")
    plots.finish(ax)
    plots.legend(ax)
    return ax


def preservation(trace: Development, ax: Axes | None = None) -> Axes:
    """Draw how far the spectrum is from the original's: worst direction, slowest modes, median eigenvalue.

    Parameters
    ----------
    trace : Development
        Recorded with its spectrum.
    ax : Axes, optional
        Where to draw.

    Raises
    ------
    InvalidOption
        Where the spectrum was not looked at.
    """
    measures = {
        "worst_direction": "worst direction",
        "eigenvalue_error_slowest": "ten slowest modes",
        "eigenvalue_error_median": "median eigenvalue",
    }
    there = [name for name in measures if any(row.get(name) is not None for row in trace.records)]
    if not there:
        raise InvalidOption(
            "the run did not look at the spectrum, so there is nothing to draw: run it with spectrum=True"
        )
    ax = plots.axes_on(ax)
    for name, (colour, line) in zip(measures, SERIES, strict=True):
        if name in there:
            ax.plot(trace.time, _column(trace, name), color=colour, ls=line, label=measures[name])
    ax.set(xlabel="time, s", ylabel="error against the original")
    plots.finish(ax)
    plots.legend(ax)
    return ax


def survival(trace: Development, groups: Mapping[str, NDArray[np.bool_]], ax: Axes | None = None) -> Axes:
    """Draw the share of each group of synapses that is left against time.

    Parameters
    ----------
    trace : Development
    groups : mapping of str to (n_links,) array of bool
        Name -> which links of the original; up to three groups.
    ax : Axes, optional
        Where to draw.
    """
    ax = plots.axes_on(ax)
    for (name, group), (colour, line) in zip(groups.items(), SERIES, strict=False):
        ax.step(*_survival(trace, group), where="post", color=colour, ls=line, label=name)
    ax.set(xlabel="time, s", ylabel="share left", ylim=(0, None))
    plots.finish(ax)
    plots.legend(ax)
    return ax


def _survival(trace: Development, group: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times at which a group lost links, and the share of it that was left after each."""
    went = np.sort(trace.link_pruned_at[group])
    times, first = np.unique(went[np.isfinite(went)], return_index=True)
    lost = np.append(first[1:], np.isfinite(went).sum()) if first.size else first
    start, end = trace.time[0], trace.time[-1]
    left = 1 - lost / max(went.size, 1)
    return np.concatenate([[start], times, [end]]), np.concatenate([[1.0], left, left[-1:] if left.size else [1.0]])


def _column(trace: Development, name: str) -> NDArray[np.float64]:
    """One column of the records; NaN, which is not drawn, where there is nothing."""
    return np.array([np.nan if row.get(name) is None else row[name] for row in trace.records], dtype=np.float64)
