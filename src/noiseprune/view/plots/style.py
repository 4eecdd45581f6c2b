"""What all pictures share: colours, axes, legends, clouds of points.

References
----------
M. Okabe and K. Ito, "Color universal design: how to make figures and presentations that are friendly to colorblind
people", https://jfly.uni-koeln.de/color/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from noiseprune.errors import MissingExtra

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

# Okabe and Ito's colours, which the colour-blind tell apart; their lightness differs, so greyscale does too
GREY, BLUE, VERMILION, ORANGE, GREEN, PURPLE = "#767676", "#0072b2", "#d55e00", "#e69f00", "#009e73", "#cc79a7"
SERIES = ((BLUE, "o", "-"), (VERMILION, "^", "--"), (GREEN, "s", "-."), (PURPLE, "D", ":"), (ORANGE, "v", "-"))
SIZE = (4.1, 3.0)  # inches: a column of the report, readable unscaled on a telephone
FEW_POINTS = 400  # up to which points are drawn one by one as vectors
MANY_POINTS = 20_000  # from which they are counted in bins
BINS = (60, 40)


def axes_on(ax: Axes | None, *, square: bool = False) -> Axes:
    """Return the axes given, or axes on a figure of their own.

    Raises
    ------
    MissingExtra
        Where there are none and matplotlib is not installed.
    """
    if ax is not None:
        return ax
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra('plots need matplotlib, which is not installed: pip install "noiseprune[report]"') from None
    return Figure((SIZE[0], 3.8) if square else SIZE, layout="constrained").add_subplot()


def finish(ax: Axes) -> None:
    """Bare axes, few ticks, logarithms written as numbers."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(GREY)
    few_ticks(ax)
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for axis in (ax.xaxis, ax.yaxis):
        if axis.get_scale() not in ("log", "symlog"):
            continue
        numbers = FuncFormatter(lambda value, _: power(value))
        axis.set_major_formatter(numbers)
        axis.set_minor_formatter(NullFormatter())
        low, high = axis.get_view_interval()
        if low > 0 and high < 40 * low:  # hardly a power of ten in it
            axis.set_minor_locator(LogLocator(subs=(2.0, 5.0)))
            axis.set_minor_formatter(numbers)


def legend(ax: Axes) -> None:
    """Explain the signs above the axes, where they hide nothing."""
    legend = ax.legend(frameon=False, ncols=2, loc="lower left", bbox_to_anchor=(0, 1), borderpad=0, fontsize="small")
    for text in legend.get_texts():
        text.set_parse_math(False)  # a label is a label, whatever is in it


def few_ticks(ax: Axes) -> None:
    """Ask for few ticks."""
    ax.tick_params(which="both", color=GREY, labelsize="small")


def count_ticks(ax: Axes, which: Literal["y", "both"]) -> None:
    """Write tens of thousands as 10k."""
    from matplotlib.ticker import EngFormatter

    for axis in (ax.yaxis, ax.xaxis) if which == "both" else (ax.yaxis,):
        if max(axis.get_view_interval()) >= 10_000:
            axis.set_major_formatter(EngFormatter(sep=""))


def power(value: float) -> str:
    """Write a tick of a logarithmic axis without mathematics: 0.001 to 1000 in full, others as a power of ten."""
    if 9e-4 < value < 2e3 or value <= 0:
        return f"{value:g}"
    exponent = round(float(np.log10(value)))
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def cloud(ax: Axes, x: Floats, y: Floats) -> None:
    """Draw points: one by one where few, as pixels where more, counted in bins where many.

    Parameters
    ----------
    ax : Axes
        Where to draw.
    x, y : (n,) array
        The points, on axes that are logarithmic where all are positive.
    """
    if x.size < MANY_POINTS:
        few = x.size <= FEW_POINTS
        ax.plot(x, y, "o", ms=3 if few else 2, mew=0, color=BLUE, alpha=0.7 if few else 0.4, rasterized=not few)
        return
    from matplotlib.colors import LinearSegmentedColormap

    log = x.min() > 0 and y.min() > 0
    edges = [bin_edges(values, bins, log=log) for values, bins in zip((x, y), BINS, strict=True)]
    counts, *_ = np.histogram2d(x, y, edges)
    red, green, blue = (part / 255 for part in _rgb(BLUE))
    faint = (red, green, blue, 0.12)
    shades = LinearSegmentedColormap.from_list("counts", [faint, (red, green, blue, 1.0)])
    seen = np.where(counts.T > 0, np.log1p(counts.T), np.nan)  # what is not there has no colour
    ax.pcolormesh(*edges, seen, cmap=shades, rasterized=True)


def bin_edges(values: Floats, bins: int, *, log: bool) -> Floats:
    """Return the edges of bins over values, (bins + 1,).

    Parameters
    ----------
    values : (n,) array
        What will be counted.
    bins : int
        How many.
    log : bool
        Whether they are equally wide on a logarithmic axis.
    """
    low, high = float(values.min()), float(values.max())
    if low == high:
        low, high = low * 0.9 - 1e-12 * (low == 0), high * 1.1 + 1e-12
    return np.geomspace(low, high, bins + 1) if log else np.linspace(low, high, bins + 1)


def short(label: str, longest: int = 14) -> str:
    """Cut a label to what fits."""
    return label if len(label) <= longest else label[: longest - 1] + "…"


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
