"""(f) How much noise the rule needs: difference variances from ever fewer samples.

500 neurons in three clusters, signed, a fifth kept, ten draws. Samples are independent states, or moments of one
recording of the running network, half a leak time apart, which resemble each other. Each draw has samples of its own.
"""

from __future__ import annotations

from setting import RULES, panels, save, save_cost, save_picture  # first: it pins the threads

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.linalg

import noiseprune
from noiseprune.measure.compare import Reference
from noiseprune.dynamics.stationary import stationary_covariance
from noiseprune.machine.speed import Cost
from noiseprune.probes import DifferenceVariance, Exact

N = 500
DENSITY = 0.2
DRAWS = 10
COUNTS = (4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096)


@dataclass(frozen=True, eq=False)
class States:
    """Difference variances of states of mean zero, (samples, n_neurons); `Recorded` wants 64, to judge its own error."""

    states: np.ndarray

    def measure(self, network: noiseprune.Network, *, rng: object = 0) -> DifferenceVariance:  # noqa: ARG002
        post, pre, weight = network.links
        count = len(self.states)
        C = self.states.T @ self.states / count
        v = C[post, post] + C[pre, pre] - 2 * np.sign(weight) * C[post, pre]
        return DifferenceVariance(v, np.sqrt(2 / count), network.synapses_per_link, count, "states")

    def memory(self, network: noiseprune.Network) -> float:
        return 8.0 * network.n_neurons**2 + 24.0 * network.n_links

    def cost(self, network: noiseprune.Network) -> Cost:
        return Cost(self.memory(network), 0.0)


class Noise:
    """States of the noisy network: independent ones, or one after the other, without error of a time step."""

    def __init__(self, net: noiseprune.Network) -> None:
        self.covariance, _ = stationary_covariance(net)
        A = net.matrix().toarray()
        self.move = scipy.linalg.expm(A * 0.5 / np.median(net.leak))
        left = self.covariance - self.move @ self.covariance @ self.move.T
        self.root, self.kick = (np.linalg.cholesky(C) for C in (self.covariance, left))

    def independent(self, count: int, random: np.random.Generator) -> np.ndarray:
        return random.standard_normal((count, N)) @ self.root.T

    def recording(self, count: int, random: np.random.Generator) -> np.ndarray:
        states = random.standard_normal((count, N)) @ self.kick.T
        states[0] = self.root @ random.standard_normal(N)
        for before, after in pairwise(states):
            after += self.move @ before
        return states


def main() -> None:
    net = noiseprune.gallery.clustered([250, 50, 200], within=0.6, between=5 * N, signed=True, rng=1)
    noise, reference = Noise(net), Reference(net, rng=1)
    exact = Exact().measure(net).value
    rows = []
    for name, make in (("independent states", noise.independent), ("one recording", noise.recording)):
        for count in COUNTS:
            probes = [States(make(count, np.random.default_rng([count, k]))) for k in range(DRAWS)]
            rows.append(row(reference, name, count, exact, probes))
    rows.append(row(reference, "exact", None, exact, ["exact"] * DRAWS))
    for rule in ("weight", "uniform"):
        rows.append(row(reference, f"none: {RULES[rule].name}", None, exact, ["auto"] * DRAWS, rule))
    save("paper_samples", rows)
    draw(rows)


def row(reference: Reference, name: str, count: int | None, exact: np.ndarray, probes: list, rule: str = "noise"):
    found, off = [], []
    for seed, probe in enumerate(probes):
        result = noiseprune.prune(
            reference.network, density=DENSITY, probe=probe, rule=rule, strengthen="reciprocal", compare=False, rng=seed
        )
        found.append(reference.compare(result.network))
        if result.variance is not None:
            off.append(np.sqrt(np.mean((result.variance.value / exact - 1) ** 2)))
    interval = np.mean([c.worst_direction_interval for c in found], axis=0)
    made = {
        "noise seen": name,
        "samples": count,
        "relative error of v": round(float(np.mean(off)), 3) if off else None,
        "eigenvalues, median": round(float(np.mean([c.eigenvalue_error["median"] for c in found])), 3),
        "ten slowest": round(float(np.mean([c.eigenvalue_error["slowest"] for c in found])), 3),
        "worst direction": round(float(np.mean([c.worst_direction for c in found])), 2),
        "interval": f"{interval[0]:.2f} to {interval[1]:.2f}",
        "strongest 1/p": round(float(np.mean([c.largest_strengthening for c in found]))),
        "components": round(float(np.mean([c.components_after for c in found])), 1),
    }
    print(made, flush=True)
    return made


def draw(rows: list[dict]) -> None:
    figure, (axes,) = panels(1, 2, width=4.0, height=3.1)
    for ax, measure in zip(axes, ("worst direction", "ten slowest"), strict=True):
        for name, look in zip(("independent states", "one recording"), RULES.values(), strict=False):
            mine = [row for row in rows if row["noise seen"] == name]
            style = {"color": look.colour, "marker": look.marker, "ls": look.line, "ms": 4}
            ax.plot([row["samples"] for row in mine], [row[measure] for row in mine], label=name, **style)
        for name, line in (("exact", "-"), ("none: by weights", "--"), ("none: uniform", ":")):
            level = next(row[measure] for row in rows if row["noise seen"] == name)
            ax.axhline(level, color="0.5", lw=0.9, ls=line, label=name)
        ax.set(xscale="log", ylim=(0, None), xlabel="samples", ylabel=measure)
    axes[0].legend(frameon=False, fontsize=7)
    save_picture(figure, "samples")


if __name__ == "__main__":
    main()
    save_cost("samples")
