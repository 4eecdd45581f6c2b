"""Plots of a result: each takes what `prune` or `sweep` returned, draws on matplotlib axes and returns them.

Every function takes `ax`, or makes axes on a figure of its own (``ax.figure``, ``ax.figure.savefig("plot.png")``); none calls
``show`` or touches matplotlib's global state. Before is grey, after is coloured, and shape or line style tells them
apart too. What has more than a few hundred points is binned or drawn as pixels, up to a million neurons.
Where there is nothing to draw, the error says why.
"""

from __future__ import annotations

from itertools import cycle
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from noiseprune.dynamics import runs as dynamics
from noiseprune.errors import InvalidNetwork, InvalidOption, MissingExtra, TooLarge
from noiseprune.measure.pair import Pair
from noiseprune.measure.responses import MAX_STEPS, RUN_LENGTH
from noiseprune.measure.result import Comparison
from noiseprune.network import Activation, Network
from noiseprune.network.ordering import block_sums, cluster_order, typical_largest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from noiseprune.experiments.table import Sweep
    from noiseprune.pruning.pipeline import Pruned

Floats = NDArray[np.float64]
Side = Literal["before", "after"]

# Okabe and Ito's colours, which the colour-blind tell apart; their lightness differs, so greyscale does too
GREY, BLUE, VERMILION, ORANGE, GREEN, PURPLE = "#767676", "#0072b2", "#d55e00", "#e69f00", "#009e73", "#cc79a7"
SERIES = ((BLUE, "o", "-"), (VERMILION, "^", "--"), (GREEN, "s", "-."), (PURPLE, "D", ":"), (ORANGE, "v", "-"))

SIZE = (4.1, 3.0)  # inches: a column of the report, readable unscaled on a telephone
FEW_POINTS = 400  # up to which points are drawn one by one as vectors
MANY_POINTS = 20_000  # from which they are counted in bins
BINS = (60, 40)
PIXELS = 256  # along a side of a matrix
WATCHED = 200  # neurons whose trajectories are kept, for a typical and the worst one
DRAWN_TIMES = 300
MAX_WORK = 6e8  # synapses times steps of one run that is drawn: some seconds; longer runs are cut short


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
    """Draw spectra that are known; return the line that holds the points of all those after."""
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


def keep_probability(result: Pruned, against: Literal["weight", "variance"] = "weight", ax: Axes | None = None) -> Axes:
    """Draw the keep probability of every synapse against its weight or its difference variance.

    Raises
    ------
    InvalidOption
        Where the rule read no difference variance.
    InvalidNetwork
        Where there are no synapses.
    """
    weight, p = np.abs(result.original.links.weight).astype(np.float64), result.probability.per_link
    if not p.size:
        raise InvalidNetwork("there are no synapses, hence no keep probabilities")
    if against == "weight":
        x, label = weight, "absolute weight, |W|"
    elif result.variance is None:
        raise InvalidOption(f"the rule {result.rule} reads no difference variance, so none was measured")
    else:
        x, label = result.variance.per_link, "difference variance, v"
    ax = axes_on(ax)
    seen = (x > 0) & (p > 0)
    _cloud(ax, x[seen], p[seen])
    ax.set(xscale="log", yscale="log", xlabel=label, ylabel="keep probability, p")
    finish(ax)
    return ax


def weights(result: Pair, which: Side = "after", ax: Axes | None = None, order: NDArray[np.intp] | None = None) -> Axes:
    """Draw the weights as an image, rows post, clusters of the original together; blue positive, orange negative.

    A pixel holds the sum of the weights between two groups of neurons; both sides share one scale, on which one pixel in
    twenty of the original is as deep as can be.

    Parameters
    ----------
    result : Pruned
        What to draw.
    which : "before" or "after"
        Which of its networks.
    ax : Axes, optional
        Where to draw.
    order : (n_neurons,) array of int, optional
        In place of `noiseprune.network.ordering.cluster_order` of the original.
    """
    order = cluster_order(result.original) if order is None else order
    scale = typical_largest(block_sums(result.original, order, PIXELS))
    sums = block_sums(result.original if which == "before" else result.network, order, PIXELS)
    ax = axes_on(ax, square=True)
    n = result.original.n_neurons
    ax.imshow(pixels(sums, scale), extent=(0, n, n, 0), interpolation="nearest", rasterized=True)
    ax.set(xlabel="from neuron", ylabel="to neuron")
    ax.spines[:].set_color(GREY)
    _counts(ax, "both")
    _ticks(ax)
    return ax


def pixels(sums: Floats, scale: float) -> NDArray[np.uint8]:
    """Colour sums of weights, (rows, columns, 4): blue positive, orange negative, as opaque as they are large."""
    rgba = np.zeros((*sums.shape, 4), np.uint8)
    rgba[sums > 0, :3] = _rgb(BLUE)
    rgba[sums < 0, :3] = _rgb(ORANGE)
    if scale > 0:
        rgba[..., 3] = np.round(255 * np.sqrt(np.minimum(np.abs(sums) / scale, 1)))
    return rgba


def trajectories(result: Pair, activation: Activation = "linear", ax: Axes | None = None, *, rng: int = 0) -> Axes:
    """Draw both networks under the same noise and the same step input: a typical neuron and the worst one.

    Of `WATCHED` neurons at random, those with the median and with the largest RMS difference over RMS of the original. Over
    ten times 1 / median leak, less in networks of some million synapses.

    Parameters
    ----------
    result : Pruned
        What to run.
    activation : str
        In place of the network's own.
    ax : Axes, optional
        Where to draw.
    rng : int
        Seed of the input, of the noise and of the neurons.

    Raises
    ------
    TooLarge
        Where it would take too many steps.
    """
    time, before, after, watched = _both_runs(result, activation, rng)
    ax = axes_on(ax)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        error = np.sqrt(np.sum((after - before) ** 2, axis=0) / np.sum(before**2, axis=0))
    ranked = np.argsort(np.nan_to_num(error, nan=np.inf), kind="stable")
    chosen = {"typical": ranked[(ranked.size - 1) // 2], "worst": ranked[-1]}
    if chosen["typical"] == chosen["worst"]:
        del chosen["typical"]
    for (name, k), colour in zip(chosen.items(), (BLUE, VERMILION), strict=False):
        label = f"{name}: {_short(result.original.name(int(watched[k])))}"
        ax.plot(time, before[:, k], "-", lw=2.6, alpha=0.35, color=colour, label=label)
        ax.plot(time, after[:, k], "--", lw=1.1, color=colour, label="after" if name == "worst" else None)
    seen, later = (states[:, list(chosen.values())] for states in (before, after))
    middle, reach = (seen.max() + seen.min()) / 2, 0.8 * max(float(np.ptp(seen)), 1e-12)
    room = 4 * reach  # for a worst neuron that strays; an unstable network leaves it
    reach = max(reach, 1.05 * float(np.max(np.abs(np.clip(np.nan_to_num(later - middle), -room, room)))))
    ax.set_ylim(middle - reach, middle + reach)
    ax.set(xlabel="time (s)", ylabel="activity, x")
    finish(ax)
    legend(ax)
    return ax


def _both_runs(result: Pair, activation: Activation, rng: int) -> tuple[Floats, Floats, Floats, NDArray[np.intp]]:
    """Return times (t,), states before and after (t, watched), and which neurons are watched."""
    original, network = result.original, result.network
    step = dynamics.safe_step(original, network)
    n_steps = int(np.ceil(RUN_LENGTH / float(np.median(original.leak)) / step))
    if n_steps > MAX_STEPS:
        raise TooLarge(f"trajectories would take {n_steps:,} time steps; the limit is {MAX_STEPS:,}")
    n_steps = max(min(n_steps, int(MAX_WORK / max(original.n_synapses, original.n_neurons))), 10)
    seeds = np.random.SeedSequence(rng).spawn(3)
    n = original.n_neurons
    watched = np.sort(np.random.default_rng(seeds[2]).permutation(n)[:WATCHED])
    every = max(1, n_steps // DRAWN_TIMES)
    kept = [
        (x[watched, 0].astype(np.float64), y[watched, 0].astype(np.float64))
        for k, (x, y) in enumerate(
            dynamics.run_both(
                original,
                network,
                n_runs=1,
                step=step,
                n_steps=n_steps,
                rng=(seeds[0], seeds[1]),
                activation=activation,
            )
        )
        if k % every == every - 1
    ]
    before, after = (np.array(side) for side in zip(*kept, strict=True))
    time = np.asarray(step * every * np.arange(1.0, len(kept) + 1), dtype=np.float64)
    return time, before, after, watched


def degrees(result: Pair, direction: Literal["in", "out"] = "in", ax: Axes | None = None) -> Axes:
    """Draw how many neurons have how many synapses, before and after.

    Parameters
    ----------
    result : Pruned
        What to draw.
    direction : "in" or "out"
        Synapses that a neuron receives, or sends; the same where the network is symmetric.
    ax : Axes, optional
        Where to draw.
    """
    before, after = (degree(net, direction) for net in (result.original, result.network))
    ax = axes_on(ax)
    top = max(int(before.max()), int(after.max()), 1)
    edges = (np.unique(np.round(np.linspace(0, top + 1, min(top + 2, 60)))) - 0.5).tolist()
    ax.hist(before, edges, histtype="stepfilled", fc=GREY, ec="none", alpha=0.4, label="before")
    ax.hist(after, edges, histtype="step", ec=BLUE, lw=1.6, label="after")
    what = {"in": "synapses received", "out": "synapses sent"}[direction]
    ax.set(xlabel=f"degree: {what}", ylabel="neurons")
    _counts(ax, "y")
    finish(ax)
    legend(ax)
    return ax


def degree(network: Network, direction: Literal["in", "out"]) -> NDArray[np.intp]:
    """Synapses that each neuron receives, or sends, (n_neurons,)."""
    post, pre, _ = network.links
    n = network.n_neurons
    if network.symmetric:
        return np.bincount(post, minlength=n) + np.bincount(pre, minlength=n)
    return np.bincount(post if direction == "in" else pre, minlength=n)


def strengths(result: Pair, ax: Axes | None = None) -> Axes:
    """Draw each neuron's total absolute input after against before, sum_j |W'_ij| against sum_j |W_ij|."""
    before, after = result.original.total_input, result.network.total_input
    ax = axes_on(ax)
    top = max(float(before.max()), float(after.max()))
    if top == 0:
        raise InvalidNetwork("no neuron has input, before or after, hence no strengths")
    ax.plot([0, top], [0, top], "--", color=GREY, lw=1, label="unchanged")
    _cloud(ax, before, after)
    ax.set(xlabel="total input before, Σ|W|", ylabel="total input after, Σ|W'|")
    finish(ax)
    legend(ax)
    return ax


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
        rows = sorted(rows, key=lambda row: row["asked_density"])
        ax.errorbar(
            [row["asked_density"] for row in rows],
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
        ax.plot(best["asked_density"], best[measure], "o", ms=13, mfc="none", mew=1.4, color=GREY, label="recommended")
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


# --- drawing --------------------------------------------------------------------------------------------------------


def axes_on(ax: Axes | None, *, square: bool = False) -> Axes:
    """Return the axes given, or axes on a figure of their own."""
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
    _ticks(ax)
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


def _ticks(ax: Axes) -> None:
    ax.tick_params(which="both", color=GREY, labelsize="small")


def _counts(ax: Axes, which: Literal["y", "both"]) -> None:
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


def _cloud(ax: Axes, x: Floats, y: Floats) -> None:
    """Draw points: one by one where few, as pixels where more, counted in bins where many."""
    if x.size < MANY_POINTS:
        few = x.size <= FEW_POINTS
        ax.plot(x, y, "o", ms=3 if few else 2, mew=0, color=BLUE, alpha=0.7 if few else 0.4, rasterized=not few)
        return
    from matplotlib.colors import LinearSegmentedColormap

    log = x.min() > 0 and y.min() > 0
    edges = [_edges(values, bins, log=log) for values, bins in zip((x, y), BINS, strict=True)]
    counts, *_ = np.histogram2d(x, y, edges)
    red, green, blue = (part / 255 for part in _rgb(BLUE))
    faint = (red, green, blue, 0.12)
    shades = LinearSegmentedColormap.from_list("counts", [faint, (red, green, blue, 1.0)])
    seen = np.where(counts.T > 0, np.log1p(counts.T), np.nan)  # what is not there has no colour
    ax.pcolormesh(*edges, seen, cmap=shades, rasterized=True)


def _edges(values: Floats, bins: int, *, log: bool) -> Floats:
    low, high = float(values.min()), float(values.max())
    if low == high:
        low, high = low * 0.9 - 1e-12 * (low == 0), high * 1.1 + 1e-12
    return np.geomspace(low, high, bins + 1) if log else np.linspace(low, high, bins + 1)


def _short(label: str, longest: int = 14) -> str:
    return label if len(label) <= longest else label[: longest - 1] + "…"


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
