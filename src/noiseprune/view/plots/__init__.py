"""Plots of a result: each takes what `prune` or `sweep` returned, draws on matplotlib axes and returns them.

Every function takes `ax`, or makes axes on a figure of its own (``ax.figure``, ``ax.figure.savefig("plot.png")``); none calls
``show`` or touches matplotlib's global state. Before is grey, after is coloured, and shape or line style tells them
apart too. What has more than a few hundred points is binned or drawn as pixels, up to a million neurons.
Where there is nothing to draw, the error says why.
"""

from noiseprune.view.plots.responses import WATCHED, trajectories
from noiseprune.view.plots.spectra import draw_spectrum, slowest_modes, spectrum, spectrum_points, worst_direction
from noiseprune.view.plots.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SERIES,
    SIZE,
    VERMILION,
    axes_on,
    finish,
    legend,
    power,
)
from noiseprune.view.plots.sweeps import sweep_error
from noiseprune.view.plots.wiring import PIXELS, degree, degrees, keep_probability, pixels, strengths, weights

__all__ = [
    "BLUE",
    "GREEN",
    "GREY",
    "ORANGE",
    "PIXELS",
    "PURPLE",
    "SERIES",
    "SIZE",
    "VERMILION",
    "WATCHED",
    "axes_on",
    "degree",
    "degrees",
    "draw_spectrum",
    "finish",
    "keep_probability",
    "legend",
    "pixels",
    "power",
    "slowest_modes",
    "spectrum",
    "spectrum_points",
    "strengths",
    "sweep_error",
    "trajectories",
    "weights",
    "worst_direction",
]
