"""What does a network keep that prunes itself while it runs, how long must its synapses look, and how fast does it run?

Questions, each a function below; name one to ask it alone. The larva needs NOISEPRUNE_DATA.
"""

from __future__ import annotations

from harness import save  # first: it pins the threads

import os
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numba
import numpy as np
from networks import grouped

import noiseprune
from noiseprune.dynamics import runs as dynamics
from noiseprune import gallery
from noiseprune.dynamics.stationary import slowest_rate
from noiseprune.plasticity.process import Process, Settings
from noiseprune.machine.threads import limit_threads

DOCS = Path(__file__).parents[1] / "docs"
SEEDS = range(4)
DENSITY = 0.2
RULES = {"noise": "noise rule", "weight": "by weight", "activity": "by activity", "uniform": "at random"}
WINDOWS = (0.1, 0.3, 1.0, 3.0, 10.0)  # slowest time constants
STYLES = {0.1: ("#d55e00", "^", "--"), 0.2: ("#0072b2", "o", "-")}


def clustered(seed: int) -> noiseprune.Network:
    """The paper's network at a quarter of its size."""
    return gallery.clustered([250, 50, 200], within=0.6, between=1250, signed=True, rng=seed)


# --- speed ------------------------------------------------------------------------------------------------------------

NEURONS, SYNAPSES, STEPS = 10_000, 1_000_000, int(os.environ.get("STEPS", "100000"))
BYTES = 4 + 8 + 8 + 8  # of a synapse and step: index and weight are read, the trace is read and written


def speed() -> None:
    """10 000 neurons, 10^6 synapses, one replica: steps, and synapse updates beside what this memory delivers."""
    net = grouped(NEURONS, SYNAPSES // 2, shuffled=True)
    settings = Settings(
        step=dynamics.safe_step(net),
        window=100.0,
        start=0,
        replicas=1,
        activation="linear",
        drive=np.zeros(NEURONS),
        rule="noise",
        leak="matched",
        tuning=None,
    )
    process = Process(net, settings, seed=1)
    process.run(10)  # compiled
    start, cpu = time.perf_counter(), time.process_time()
    while process.step < STEPS + 10:
        process.run(STEPS + 10 - process.step)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    updates = STEPS * net.n_synapses / seconds
    row = {
        "neurons": NEURONS,
        "synapses": net.n_synapses,
        "steps": STEPS,
        "threads": numba.get_num_threads(),
        "s": round(seconds, 1),
        "s of processor": round(cpu, 1),
        "synapse updates/s": f"{updates:.2g}",
        "GB/s": round(updates * BYTES / 1e9, 1),
        "GB/s, copy": round(copy_bandwidth() / 1e9, 1),
        "other load on the machine": round(max(os.getloadavg()[0] - cpu / seconds, 0.0), 1),
    }
    save("plasticity_speed", [row])


def copy_bandwidth() -> float:
    """Bytes read and written a second by one thread that copies what no cache holds; best of five."""
    source, target = np.ones(20_000_000), np.empty(20_000_000)
    times = []
    for _ in range(6):
        start = time.perf_counter()
        np.copyto(target, source)
        times.append(time.perf_counter() - start)
    return 2 * source.nbytes / min(times[1:])


# --- preservation -----------------------------------------------------------------------------------------------------


def developed(net: noiseprune.Network, seed: int, **options: Any) -> noiseprune.Comparison | None:
    """Let a network prune itself; compare it with its start. None where it became unstable."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", noiseprune.NoisePruneWarning)
        try:
            trace = noiseprune.run(net, spectrum=False, rng=seed, **options)
        except noiseprune.NoisePruneError:
            return None
    return noiseprune.compare(net, trace.network, rng=seed)


def mean_and_error(values: list[float | None], digits: int = 3) -> str:
    """Mean and standard error, as the tables show them."""
    there = np.array([value for value in values if value is not None])
    if there.size == 0:
        return ""
    error = there.std(ddof=1) / np.sqrt(there.size) if there.size > 1 else 0.0
    return f"{there.mean():.{digits}f} ± {error:.{digits}f}"


def preserved(schedule: str, rule: str, found: list[noiseprune.Comparison | None]) -> dict[str, Any]:
    """One row of the table."""
    through = [c for c in found if c is not None]
    return {
        "schedule": schedule,
        "rule": rule,
        "left": f"{100 * np.mean([c.density for c in through]):.1f} %" if through else "",
        "unstable": len(found) - sum(bool(c.stable_after) for c in through),
        "worst direction": mean_and_error([c.worst_direction for c in through], 2),
        "median eigenvalue": mean_and_error([c.eigenvalue_error["median"] for c in through]),
        "ten slowest": mean_and_error([c.eigenvalue_error["slowest"] for c in through]),
        "noisy runs": mean_and_error([c.trajectory_error["linear"] for c in through]),
        "rectified": mean_and_error([c.trajectory_error["rectified"] for c in through]),
        "components": mean_and_error([c.components_after for c in through], 1),
    }


def preservation() -> None:
    """The paper's clusters: rounds and continuous against one shot at equal density, and the rivals by the same process."""
    window = 5 / slowest_rate(clustered(0))
    save("plasticity_preservation", preservation_rows(clustered, DENSITY, window, SEEDS))


def larva() -> None:
    """The same on the connectome of the larva, at half its synapses. Stiff: its leaks span a factor of a thousand."""
    folder = os.environ.get("NOISEPRUNE_DATA")
    if folder is None:
        print("skipped: set NOISEPRUNE_DATA to the folder of the connectomes")
        return
    net = noiseprune.read(Path(folder) / "larva_mb_left_adjacency.csv", orientation="pre-post")
    save("plasticity_larva", preservation_rows(lambda _: net, 0.5, 2 / slowest_rate(net), SEEDS[:2]))


def preservation_rows(
    made: Callable[[int], noiseprune.Network], density: float, window: float, seeds: Sequence[int]
) -> list[dict[str, Any]]:
    """A row a schedule and rule; `made` makes the network of a seed."""
    rows = []
    with limit_threads(1):  # networks so small that threads would mostly wait for each other
        for schedule in ("once", "rounds", "continuous"):
            for rule, words in RULES.items():
                options = {"until_density": density, "schedule": schedule, "rule": rule, "window": window}
                rows.append(preserved(schedule, words, [developed(made(seed), seed, **options) for seed in seeds]))
                print(rows[-1], flush=True)
        exact = [noiseprune.compare(net := made(seed), pruned(net, density, seed), rng=seed) for seed in seeds]
        rows.append(preserved("prune, exact v", RULES["noise"], exact))
    return rows


def pruned(net: noiseprune.Network, density: float, seed: int) -> noiseprune.Network:
    """One shot with the covariance known, 1/p and matched leak: what a run with endless windows would come to."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", noiseprune.NoisePruneWarning)
        return noiseprune.prune(net, density=density, strengthen="reciprocal", leak="matched", rng=seed).network


# --- how long synapses must look --------------------------------------------------------------------------------------


def windows() -> None:
    """One shot and rounds with windows from a tenth of the slowest time constant to ten of them."""
    with limit_threads(1):
        rows = window_rows()
    save("plasticity_windows", rows)
    draw(rows)


def window_rows() -> list[dict[str, Any]]:
    """A row a density, schedule and window."""
    rows = []
    for density in STYLES:
        known = [noiseprune.compare(net := clustered(seed), pruned(net, density, seed), rng=seed) for seed in SEEDS]
        rows.append(window_row(density, "prune, exact v", None, known))
        for schedule in ("once", "rounds"):
            for window in WINDOWS:
                nets = {seed: clustered(seed) for seed in SEEDS}
                found = [
                    developed(net, seed, until_density=density, schedule=schedule, window=window / slowest_rate(net))
                    for seed, net in nets.items()
                ]
                rows.append(window_row(density, schedule, window, [c for c in found if c is not None]))
                print(rows[-1], flush=True)
    return rows


def window_row(density: float, schedule: str, window: float | None, found: list[Any]) -> dict[str, Any]:
    """One row of the table; numbers, so that the figure can be drawn from them."""
    worst = np.array([c.worst_direction for c in found])
    slow = np.array([c.eigenvalue_error["slowest"] for c in found])
    return {
        "left": density,
        "schedule": schedule,
        "window, slowest time constants": window,
        "worst direction": round(float(worst.mean()), 3),
        "its error": round(float(worst.std(ddof=1) / np.sqrt(worst.size)), 3),
        "ten slowest": round(float(slow.mean()), 3),
        "its error ": round(float(slow.std(ddof=1) / np.sqrt(slow.size)), 3),
    }


def draw(rows: list[dict[str, Any]]) -> None:
    """Errors against window, a panel a schedule and measure; the dotted line is the rule with the covariance known."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(2, 2, figsize=(8, 5.6), layout="constrained", sharex=True, sharey="row")
    for line, (measure, error) in zip(
        panels, (("worst direction", "its error"), ("ten slowest", "its error ")), strict=True
    ):
        for axes, schedule in zip(line, ("once", "rounds"), strict=True):
            for density, (colour, marker, style) in STYLES.items():
                mine = [row for row in rows if row["left"] == density]
                run = [row for row in mine if row["schedule"] == schedule]
                axes.errorbar(
                    [row["window, slowest time constants"] for row in run],
                    [row[measure] for row in run],
                    [row[error] for row in run],
                    fmt=marker,
                    ls=style,
                    color=colour,
                    ms=4,
                    label=f"{100 * density:g} % left",
                )
                known = next(row[measure] for row in mine if row["window, slowest time constants"] is None)
                axes.axhline(known, color=colour, ls=":", lw=1)
            axes.set(xscale="log", yscale="log")
            axes.set_title({"once": "one shot", "rounds": "five rounds"}[schedule], fontsize=10)
        line[0].set_ylabel(
            {"worst direction": "worst direction", "ten slowest": "error of the ten slowest modes"}[measure]
        )
    for axes in panels[-1]:
        axes.set_xlabel("window / slowest time constant")
    panels[0, 0].legend(frameon=False, fontsize=8)
    figure.savefig(DOCS / "plasticity_windows.svg", metadata={"Date": None})


# --- a development ----------------------------------------------------------------------------------------------------


def development() -> None:
    """Exuberant growth, then continuous pruning: the figure of docs/plasticity.md."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    from noiseprune.view.plots import development as plots

    adult = clustered(1)
    young = gallery.exuberant(adult, extra=0.5, strength=0.3, rng=1)
    window = 5 / slowest_rate(young)
    trace = noiseprune.run(young, until_density=DENSITY, schedule="continuous", window=window, threads=1, rng=1)
    grown = young.weights[young.links.post, young.links.pre] != adult.weights[young.links.post, young.links.pre]
    figure, panels = plt.subplots(2, 2, figsize=(8, 5.6), layout="constrained")
    plots.synapses(trace, panels[0, 0])
    plots.weights(trace, panels[0, 1])
    plots.preservation(trace, panels[1, 0])
    plots.survival(trace, {"adult synapses": ~grown, "exuberant ones": grown}, panels[1, 1])
    figure.savefig(DOCS / "plasticity_development.svg", metadata={"Date": None})


QUESTIONS = {f.__name__: f for f in (speed, preservation, larva, windows, development)}


def main() -> None:
    for name in sys.argv[1:] or QUESTIONS:
        QUESTIONS[name]()


if __name__ == "__main__":
    main()
