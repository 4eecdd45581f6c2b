"""Matplotlib axes as inline SVG: text stays text, colours follow the page's scheme, and screen readers are served."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

from noiseprune.view import plots

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RASTER_DPI = 144  # of layers that are images inside the SVG

# colours of the plots -> custom properties of the style sheet, which know light and dark
PROPERTIES = {
    plots.GREY: "--grey",
    plots.BLUE: "--blue",
    plots.VERMILION: "--vermilion",
    plots.ORANGE: "--orange",
    plots.GREEN: "--green",
    plots.PURPLE: "--purple",
    "#000000": "--ink",
}


@contextlib.contextmanager
def page_style() -> Iterator[None]:
    """Draw as the page wants it: text as text, nothing behind the axes, the same ids every time; then put settings back."""
    import matplotlib as mpl

    style: Any = {
        "svg.fonttype": "none",
        "svg.hashsalt": "noiseprune",
        "font.size": 10.5,
        "axes.facecolor": "none",
        "figure.facecolor": "none",
    }
    with mpl.rc_context(style):
        yield


def share_limits(every: list[Axes]) -> None:
    """Give plots of the same thing the same limits, so that they can be compared."""
    if len(every) < 2:
        return
    for axis in ("x", "y"):
        limits = [getattr(ax, f"get_{axis}lim")() for ax in every]
        low, high = min(low for low, _ in limits), max(high for _, high in limits)
        for ax in every:
            if limits[0][0] < limits[0][1]:  # an image has its first row on top
                getattr(ax, f"set_{axis}lim")(low, high)


def inline_svg(ax: Axes, *, name: str, title: str, description: str) -> str:
    """Write the figure of `ax` as an SVG element to stand inside a page.

    Parameters
    ----------
    ax : Axes
        What was drawn.
    name : str
        Begins every id inside, so that ids stay distinct on a page of many figures.
    title, description : str
        What a screen reader says, plain text.
    """
    figure: Any = ax.figure
    raw = io.StringIO()
    figure.savefig(raw, format="svg", dpi=RASTER_DPI, transparent=True, metadata={"Date": None, "Creator": None})
    svg = raw.getvalue()
    svg = svg[svg.index("<svg") :].strip()
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r' width="[^"]*pt"| height="[^"]*pt"', "", svg, count=2)
    svg = re.sub(r"<[^>]+>", lambda tag: _restyled(tag.group(), name), svg)  # tags alone: a label is left as it is
    label = (
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-description">{escape(description)}</desc>'
    )
    role = f'<svg role="img" aria-labelledby="{name}-title {name}-description"'
    return svg.replace("<svg", role, 1).replace(">", f">{label}", 1)


def _restyled(tag: str, name: str) -> str:
    """Make the ids of a tag this figure's own, and its colours those of the page."""
    tag = re.sub(r'(\bid="|xlink:href="#|url\(#)', rf"\g<1>{name}-", tag)
    for colour, custom in PROPERTIES.items():
        tag = re.sub(rf"(fill|stroke): {colour}", rf"\1: var({custom})", tag)
    return tag
