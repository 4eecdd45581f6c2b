"""Pictures of both networks running."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from noiseprune.dynamics import runs as dynamics
from noiseprune.errors import TooLarge
from noiseprune.measure.pair import Pair
from noiseprune.measure.responses import MAX_STEPS, RUN_LENGTH
from noiseprune.network import Activation
from noiseprune.view.plots.style import BLUE, VERMILION, axes_on, finish, legend, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]


WATCHED = 200  # neurons whose trajectories are kept, for a typical and the worst one


DRAWN_TIMES = 300


MAX_WORK = 6e8  # synapses times steps of one run that is drawn: some seconds; longer runs are cut short


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
        label = f"{name}: {short(result.original.name(int(watched[k])))}"
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
