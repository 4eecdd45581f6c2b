"""(c) Dynamics: the pruned network beside the original, linear and rectified, under the same input and noise.

As in the authors' notebook: 2 000 neurons, a fifth of the synapses kept, matched leak, states that start uniform on
(0, 1), constant input 0.0002, noise of standard deviation 0.01, time step 0.005, 40 s, 20 runs; the error is
||x' - x|| / ||x|| at every moment. A second input, standard normal, drives neurons apart, some of them below zero.
"""

from __future__ import annotations

from setting import RULES, panels, save, save_cost, save_picture, three_clusters  # first: it pins the threads

import numpy as np

import noiseprune
from noiseprune.dynamics.runs import Dynamics

DENSITIES = (0.2, 0.05)
STEP, DURATION, EVERY = 0.005, 40.0, 20  # seconds, seconds, steps between looks
RUNS = 20
NOISE = 0.01
TIMES = np.arange(0, DURATION + STEP / 2, STEP * EVERY)


def inputs(n: int) -> dict[str, tuple[float | np.ndarray, np.ndarray]]:
    """Return constant input and states at the start, (n_neurons, runs), under their names."""
    random = np.random.default_rng(1)
    start = random.random((n, RUNS))
    return {"0.0002 for all": (0.0002, start), "standard normal": (random.standard_normal((n, RUNS)), start)}


def errors(nets: dict[str, noiseprune.Network], activation: str, drive: float | np.ndarray, start: np.ndarray):
    """Run the original and the pruned networks side by side; return the relative error, rule -> (times, runs)."""
    motions = {name: Dynamics(net, activation, drive) for name, net in nets.items()}
    states = {name: start.copy() for name in nets}
    error = {name: np.zeros((TIMES.size, RUNS)) for name in nets if name != "original"}
    random = np.random.default_rng(2)
    for k in range(1, (TIMES.size - 1) * EVERY + 1):
        kick = NOISE * np.sqrt(STEP) * random.standard_normal(start.shape)
        for name, state in states.items():
            state += STEP * motions[name].drift(state) + kick
        if k % EVERY == 0:
            original = states["original"]
            for name, series in error.items():
                series[k // EVERY] = np.linalg.norm(states[name] - original, axis=0) / np.linalg.norm(original, axis=0)
    silent = float(np.mean(states["original"] < 0))
    return error, silent


def main() -> None:
    net = three_clusters()
    rows = []
    figure, axes = panels(2, 2, width=4.0)
    for density in DENSITIES:
        nets = {"original": net}
        for rule in RULES:
            nets[rule] = noiseprune.prune(net, density=density, rule=rule, compare=False, rng=1).network
        for line, activation in zip(axes, ("linear", "rectified"), strict=True):
            for ax, (given, (drive, start)) in zip(line, inputs(net.n_neurons).items(), strict=True):
                error, silent = errors(nets, activation, drive, start)
                for rule, series in error.items():
                    rows.append(row(density, activation, given, silent, rule, series))
                    if density == DENSITIES[0]:
                        draw(ax, rule, series)
                ax.set(xlabel="time, s", ylabel="relative error", ylim=(0, None), title=f"{activation}, input {given}")
    axes[0, 0].legend(frameon=False, fontsize=8)
    save("paper_dynamics", rows)
    save_picture(figure, "dynamics")


def row(density: float, activation: str, given: str, silent: float, rule: str, series: np.ndarray) -> dict[str, object]:
    made: dict[str, object] = {
        "kept": f"{100 * density:g} %",
        "network": activation,
        "input": given,
        "below zero at the end": f"{100 * silent:.0f} %",
        "rule": RULES[rule].name,
    }
    for time in (5, 10, 20, 40):
        at = series[np.searchsorted(TIMES, time - STEP)]
        made[f"error at {time} s"] = f"{at.mean():.3f} ± {at.std():.3f}"
    print(made, flush=True)
    return made


def draw(ax, rule: str, series: np.ndarray) -> None:
    look = RULES[rule]
    mean, spread = series.mean(axis=1), series.std(axis=1)
    ax.plot(TIMES, mean, color=look.colour, ls=look.line, label=look.name)
    ax.fill_between(TIMES, mean - spread, mean + spread, color=look.colour, alpha=0.25, lw=0)


if __name__ == "__main__":
    main()
    save_cost("dynamics")
