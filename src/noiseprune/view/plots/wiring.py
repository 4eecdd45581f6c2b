"""Pictures of the synapses: which were kept, how strong they are, how many each neuron has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from noiseprune.errors import InvalidNetwork, InvalidOption
from noiseprune.measure.pair import Pair
from noiseprune.network import Network
from noiseprune.network.ordering import block_sums, cluster_order, typical_largest
from noiseprune.view.plots.style import BLUE, GREY, ORANGE, _rgb, axes_on, cloud, count_ticks, few_ticks, finish, legend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from noiseprune.pruning.pipeline import Pruned

Floats = NDArray[np.float64]
Side = Literal["before", "after"]


PIXELS = 256  # along a side of a matrix


def keep_probability(result: Pruned, against: Literal["weight", "variance"] = "weight", ax: Axes | None = None) -> Axes:
    """Draw the keep probability of every synapse against its weight or its difference variance.

    Parameters
    ----------
    result : Pruned
        From `prune`.
    against : "weight" or "variance"
        What the horizontal axis shows.
    ax : Axes, optional
        Where to draw; by default on a figure of its own.

    Returns
    -------
    Axes
        With the plot.

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
    cloud(ax, x[seen], p[seen])
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
    count_ticks(ax, "both")
    few_ticks(ax)
    return ax


def pixels(sums: Floats, scale: float) -> NDArray[np.uint8]:
    """Colour sums of weights, (rows, columns, 4): blue positive, orange negative, as opaque as they are large."""
    rgba = np.zeros((*sums.shape, 4), np.uint8)
    rgba[sums > 0, :3] = _rgb(BLUE)
    rgba[sums < 0, :3] = _rgb(ORANGE)
    if scale > 0:
        rgba[..., 3] = np.round(255 * np.sqrt(np.minimum(np.abs(sums) / scale, 1)))
    return rgba


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
    count_ticks(ax, "y")
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
    """Draw each neuron's total absolute input after against before, sum_j |W'_ij| against sum_j |W_ij|.

    Raises
    ------
    InvalidNetwork
        Where no neuron has input, before or after.
    """
    before, after = result.original.total_input, result.network.total_input
    ax = axes_on(ax)
    top = max(float(before.max()), float(after.max()))
    if top == 0:
        raise InvalidNetwork("no neuron has input, before or after, hence no strengths")
    ax.plot([0, top], [0, top], "--", color=GREY, lw=1, label="unchanged")
    cloud(ax, before, after)
    ax.set(xlabel="total input before, Σ|W|", ylabel="total input after, Σ|W'|")
    finish(ax)
    legend(ax)
    return ax
