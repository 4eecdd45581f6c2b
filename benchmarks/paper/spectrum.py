"""(b) Spectrum of the pruned network against the original: noise rule, weights, uniform; matched and original leak.

The paper's measures over all modes k of A with eigenvalue lambda_k and eigenvector v_k: eigenvalue error
|lambda'_k / lambda_k - 1|, Rayleigh error |v_k' A' v_k / lambda_k - 1|, and the cosine of A v_k and A' v_k. The worst
direction is by Lanczos or LOBPCG. `python benchmarks/paper/spectrum.py small` leaves the 10 000 neurons out.
"""

from __future__ import annotations

from setting import (
    RULES,
    panels,
    save,
    save_cost,
    save_picture,
    three_clusters,
    worst_interval,
)  # first: it pins the threads

import sys
import time

import numpy as np
import scipy.linalg

import noiseprune
from noiseprune.network.structure import components

DRAWS = 5
LARGE_DENSITY = 0.03
N_SLOWEST = 10


def eleven_clusters() -> noiseprune.Network:
    """The larger network of the authors' notebooks: 10 000 neurons, clusters of unequal size."""
    return noiseprune.gallery.clustered([6600, 1000, 1600] + 8 * [100], within=0.6, between=5000, signed=True, rng=1)


class Modes:
    """The modes of a symmetric network, slowest first, and what became of them."""

    def __init__(self, network: noiseprune.Network) -> None:
        self.network = network
        rates, vectors = scipy.linalg.eigh(-network.matrix().toarray(), overwrite_a=True, check_finite=False)
        self.rates, self.vectors = rates, vectors

    def after(self, pruned: noiseprune.Network) -> dict[str, np.ndarray]:
        """Return ratio of eigenvalues, ratio of Rayleigh quotients, and cosine, (n_neurons,) each."""
        A = -pruned.matrix()
        image = A @ self.vectors
        quotient = np.einsum("ij,ij->j", self.vectors, image)
        cosine = quotient / np.linalg.norm(image, axis=0)
        del image
        rates = scipy.linalg.eigvalsh(A.toarray(), overwrite_a=True, check_finite=False)
        return {"eigenvalue": rates / self.rates, "rayleigh": quotient / self.rates, "cosine": cosine}


def figures(modes: Modes, pruned: noiseprune.Network) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Reduce what became of the modes to the numbers of one draw; return both."""
    found = modes.after(pruned)
    error, rayleigh = abs(found["eigenvalue"] - 1), abs(found["rayleigh"] - 1)
    low, high = worst_interval(modes.network, pruned)
    return {
        "eigenvalue, median": np.median(error),
        "eigenvalue, 95 %": np.quantile(error, 0.95),
        "eigenvalue, max": error.max(),
        "ten slowest": np.median(error[:N_SLOWEST]),
        "Rayleigh, median": np.median(rayleigh),
        "Rayleigh, 95 %": np.quantile(rayleigh, 0.95),
        "cosine, median": np.median(found["cosine"]),
        "cosine, 5 %": np.quantile(found["cosine"], 0.05),
        "worst direction": max(1 - low, high - 1),
        "lowest": low,
        "highest": high,
        "components": components(pruned),
        "unstable": float(found["eigenvalue"].min() <= 0),
    }, found


def row(modes: Modes, density: float, rule: str, leak: str, draws: int) -> tuple[dict, dict[str, np.ndarray]]:
    """Make a row of the table, means over draws, and the modes of the first draw."""
    start = time.perf_counter()
    numbers, first = [], {}
    for seed in range(draws):
        result = noiseprune.prune(modes.network, density=density, rule=rule, leak=leak, compare=False, rng=seed)
        drawn, found = figures(modes, result.network)
        numbers.append(drawn)
        first = first or found
    mean = {name: float(np.mean([drawn[name] for drawn in numbers])) for name in numbers[0]}
    low, high, unstable = mean.pop("lowest"), mean.pop("highest"), round(draws * mean.pop("unstable"))
    made = {
        "neurons": modes.network.n_neurons,
        "kept": f"{100 * density:g} %",
        "leak": leak,
        "rule": RULES[rule].name,
        "draws": draws,
        **{name: round(value, 3) for name, value in mean.items()},
        "interval": f"{low:.2f} to {high:.2f}",
        "unstable draws": unstable,
        "s": round(time.perf_counter() - start),
    }
    print(made, flush=True)
    return made, first


def draw(axes, found: dict[str, dict[str, np.ndarray]], title: str) -> None:
    """Draw eigenvalues by mode, and how Rayleigh errors and angles are distributed, for the three rules."""
    left, middle, right = axes
    for rule, modes in found.items():
        look = RULES[rule]
        rank = np.arange(1, modes["eigenvalue"].size + 1)
        left.plot(rank, modes["eigenvalue"], look.marker, ms=2, color=look.colour, label=look.name, rasterized=True)
        middle.ecdf(abs(modes["rayleigh"] - 1), color=look.colour, ls=look.line, label=look.name)
        right.ecdf(np.degrees(np.arccos(np.clip(modes["cosine"], -1, 1))), color=look.colour, ls=look.line)
    left.axhline(1, color="0.5", lw=0.8)
    left.set(xscale="log", ylim=(0, 2), xlabel="mode, slowest first", ylabel="eigenvalue after / before", title=title)
    middle.set(xlim=(0, 1), xlabel="Rayleigh error", ylabel="share of modes below", title="Rayleigh quotients")
    right.set(
        xlim=(0, 90), xlabel="angle of A v and A' v, degrees", ylabel="share of modes below", title="Eigenvectors"
    )
    left.legend(frameon=False, fontsize=8)


def main() -> None:
    networks = [(three_clusters(), (0.03, 0.05, 0.1, 0.2), DRAWS)]
    if "small" not in sys.argv:
        networks.append((eleven_clusters(), (LARGE_DENSITY,), 1))
    rows = []
    figure, axes = panels(len(networks), 3)
    for (net, densities, draws), line in zip(networks, axes, strict=True):
        modes = Modes(net)
        for density in densities:
            for leak in ("matched", "original"):
                found = {}
                for rule in RULES:
                    made, found[rule] = row(modes, density, rule, leak, draws)
                    rows.append(made)
                if density == LARGE_DENSITY and leak == "matched":
                    draw(line, found, f"{net.n_neurons} neurons, 3 % kept")
        del modes, found
    save("paper_spectrum", rows)
    save_picture(figure, "spectrum")


if __name__ == "__main__":
    main()
    save_cost("spectrum")
