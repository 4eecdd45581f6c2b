"""Pictures of eigenvalues: the spectrum, the worst direction, the slowest modes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from noiseprune.errors import InvalidOption
from noiseprune.measure.pair import Pair
from noiseprune.measure.result import Comparison
from noiseprune.view.plots.style import BLUE, FEW_POINTS, GREY, VERMILION, axes_on, finish, legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D


Floats = NDArray[np.float64]
Side = Literal["before", "after"]


def spectrum(result: Pair, ax: Axes | None = None) -> Axes:
    """Draw the eigenvalues of A and of A'.

    Symmetric: the rates -lambda, slowest first; directed: the plane of complex numbers, unstable right of zero.

    Parameters
    ----------
    result : Pruned
        Up to 5 000 neurons where symmetric, 2 000 where directed.
    ax : Axes, optional
        Where to draw.

    Raises
    ------
    TooLarge
        Where dense algebra would take minutes; `slowest_modes` needs none.
    """
    before, after = result.eigenvalues
    ax = axes_on(ax)
    draw_spectrum(ax, before, after)
    return ax


def draw_spectrum(ax: Axes, before: NDArray[Any], *after: NDArray[Any]) -> Line2D:
    """Draw spectra that are known; return the line that holds the points of all those after.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    before : (n,) array
        Eigenvalues of A, 1/s.
    after : (n,) arrays
        Eigenvalues of each A', 1/s.
    """
    raster = before.size > FEW_POINTS
    points = np.concatenate([spectrum_points(values) for values in after], axis=1)
    if np.iscomplexobj(before):
        ax.plot(*spectrum_points(before), "o", ms=4, mfc="none", mew=0.8, color=GREY, label="before", rasterized=raster)
        (line,) = ax.plot(*points, "x", ms=3.5, mew=0.9, color=BLUE, label="after", rasterized=raster)
        ax.axvline(0, color=VERMILION, lw=0.8, ls="--")
        ax.set(xlabel="real part (1/s); unstable right of 0", ylabel="imaginary part (1/s)")
    else:
        ax.plot(*spectrum_points(before), "-", lw=2.2, color=GREY, label="before")
        (line,) = ax.plot(*points, "o", ms=2.6, color=BLUE, label="after", rasterized=raster)
        ax.set(xlabel="mode, slowest first", ylabel="rate of decay, -λ (1/s)", xscale="log")
        if min(-before.max(), points[1].min()) > 0:
            ax.set_yscale("log")
        else:
            ax.axhline(0, color=VERMILION, lw=0.8, ls="--")
    finish(ax)
    legend(ax)
    return line


def spectrum_points(eigenvalues: NDArray[Any]) -> Floats:
    """Where eigenvalues are drawn, (2, n): the plane where complex, else the rate of decay by rank, slowest first."""
    if np.iscomplexobj(eigenvalues):
        return np.stack([eigenvalues.real, eigenvalues.imag])
    return np.stack([np.arange(1.0, eigenvalues.size + 1), np.sort(-eigenvalues)])


def worst_direction(result: Pair, ax: Axes | None = None) -> Axes:
    """Draw the generalised eigenvalues of (-A', -A): how much every direction was changed; 1 is unchanged.

    The shaded band is the Ramanujan reference at the mean degree, a yardstick and no bound.

    Raises
    ------
    InvalidNetwork, UnstableNetwork, TooLarge
        Where a worst direction does not exist, or not in reasonable time.
    """
    from noiseprune.measure.structure import ramanujan_reference

    values = result.directions
    ax = axes_on(ax)
    bins = min(80, max(8, values.size // 4))
    counts: Any
    room = 1e-9 * max(1.0, float(np.max(np.abs(values))))
    limits = None if values[-1] - values[0] > room else (values[0] - room, values[-1] + room)
    counts, *_ = ax.hist(values, bins=bins, range=limits, histtype="stepfilled", fc=BLUE, ec="none", alpha=0.55)
    ends = f"worst: {values[0]:.3g}, {values[-1]:.3g}"
    ax.plot(values[[0, -1]], [0, 0], "^", ms=7, color=VERMILION, clip_on=False, zorder=3, label=ends)
    if reference := ramanujan_reference(result.network):
        ax.axvspan(*reference, color=GREY, alpha=0.18, lw=0, label="Ramanujan")
    ax.axvline(1, color=GREY, lw=1, ls="--")
    ax.set_yscale("symlog", linthresh=1)  # a single direction is seen beside hundreds
    ax.set_ylim(0, 2 * counts.max())
    ax.set(xlabel="x'(-A')x over x'(-A)x", ylabel="directions")
    finish(ax)
    legend(ax)
    return ax


def slowest_modes(result: Pair | Comparison, ax: Axes | None = None) -> Axes:
    """Draw the rates of the ten eigenvalues nearest zero, before and after; below zero is unstable.

    Raises
    ------
    InvalidOption
        Where they were not found.
    """
    found = result if isinstance(result, Comparison) else result.comparison
    before, after = (None, None) if found is None else (found.slowest_before, found.slowest_after)
    if before is None or after is None:
        raise InvalidOption("the slowest modes were not measured: compare=True looks for them")
    ax = axes_on(ax)
    rank = np.arange(1, len(before) + 1)
    old, new = -np.array(before), -np.array(after)
    ax.vlines(rank, old, new, color=GREY, lw=1)
    ax.plot(rank, old, "o", ms=6, mfc="none", mew=1.2, color=GREY, label="before")
    ax.plot(rank, new, "D", ms=4.5, color=BLUE, label="after")
    if min(old.min(), new.min()) <= 0:
        ax.axhline(0, color=VERMILION, lw=0.8, ls="--")
    else:
        ax.set_ylim(0)
    ax.set(xlabel="mode, nearest zero first", ylabel="rate of decay (1/s)", xticks=rank[:: max(1, rank.size // 10)])
    finish(ax)
    legend(ax)
    return ax


# --- drawing --------------------------------------------------------------------------------------------------------
