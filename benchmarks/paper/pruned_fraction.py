"""(d) The pruned fraction tends to 1: the share that epsilon = 0.8 keeps, from 500 to 100 000 neurons.

Positive random networks, leak sum_j W_ij + 0.001. In the dense family the mean degree is 1.3 n^(2/3); in the others it
stays the same while the network grows. `python benchmarks/paper/pruned_fraction.py 40000` stops at 40 000 neurons.
"""

from __future__ import annotations

from setting import RULES, panels, save, save_cost, save_picture, worst_interval  # first: it pins the threads

import math
import sys
import time

import numpy as np

import noiseprune
from networks import grouped

EPSILON = 0.8
SIZES = (500, 1_000, 2_000, 4_000, 10_000, 20_000, 40_000, 100_000)
FIXED_DEGREES = {"mean degree 100": 100, "mean degree 400": 400}
FIXED_SIZES = (500, 2_000, 10_000, 40_000)
GROWING = "mean degree 1.3 n^(2/3)"


def random_network(n: int, degree: float) -> noiseprune.Network:
    """Make a positive random network of this mean degree, in memory for its links and little more."""
    places = n * n / 2
    draws = -places * np.log1p(-n * degree / 2 / places)  # some fall on one place
    return grouped(n, round(draws), clusters=1, between=0)


def measure(family: str, n: int, degree: float) -> dict[str, object]:
    start = time.perf_counter()
    net = random_network(n, degree)
    result = noiseprune.prune(net, epsilon=EPSILON, compare=False, beyond_theorem=True, rng=n)
    pruned = time.perf_counter()
    share = result.network.n_links / net.n_links
    low, high = worst_interval(net, result.network)
    row = {
        "family": family,
        "neurons": n,
        "pairs": net.n_links,
        "mean degree": round(net.n_synapses / n),
        "v": result.variance.source,
        "kept share": round(share, 4),
        "bound 4 n ln n / eps^2 over pairs": round(4 * n * math.log(n) / EPSILON**2 / net.n_links, 4),
        "kept pairs over n ln n": round(result.network.n_links / (n * math.log(n)), 3),
        "worst direction": round(max(1 - low, high - 1), 3),
        "prune, s": round(pruned - start, 1),
        "worst direction, s": round(time.perf_counter() - pruned, 1),
    }
    print(row, flush=True)
    return row


def fit(rows: list[dict[str, object]]) -> dict[str, float]:
    """Fit kept share = c (n ln n / pairs)^slope, in logarithms, to the sizes at which few synapses are certain."""
    chosen = [row for row in rows if row["family"] == GROWING and row["kept share"] < 0.5]
    n, pairs, share = (np.array([row[name] for row in chosen], float) for name in ("neurons", "pairs", "kept share"))
    slope, level = np.polyfit(np.log(n * np.log(n) / pairs), np.log(share), 1)
    return {
        "slope": round(float(slope), 3),
        "c": round(float(np.exp(level)), 3),
        "c of the bound": round(4 / EPSILON**2, 3),
    }


def draw(rows: list[dict[str, object]]) -> None:
    figure, ((left, right),) = panels(1, 2, width=4.2, height=3.2)
    for family, look in zip((GROWING, *FIXED_DEGREES), RULES.values(), strict=True):
        mine = [row for row in rows if row["family"] == family]
        n = [row["neurons"] for row in mine]
        style = {"color": look.colour, "marker": look.marker, "ls": look.line, "ms": 4, "label": family}
        left.plot(n, [row["kept share"] for row in mine], **style)
        right.plot(n, [row["worst direction"] for row in mine], **style)
    mine = [row for row in rows if row["family"] == GROWING]
    left.plot(
        [row["neurons"] for row in mine],
        [min(1, row["bound 4 n ln n / eps^2 over pairs"]) for row in mine],
        color="0.5",
        lw=0.9,
        label="bound, mean degree 1.3 n^(2/3)",
    )
    left.set(xscale="log", yscale="log", xlabel="neurons", ylabel="kept share of the pairs", title="What is kept")
    right.axhline(EPSILON, color="0.5", lw=0.9)
    right.set(xscale="log", xlabel="neurons", ylabel="worst direction", ylim=(0, 1), title="What it costs (line: 0.8)")
    left.legend(frameon=False, fontsize=8)
    save_picture(figure, "pruned_fraction")


def main() -> None:
    largest = int(sys.argv[1]) if len(sys.argv) > 1 else max(SIZES)
    rows = [measure(GROWING, n, 1.3 * n ** (2 / 3)) for n in SIZES if n <= largest]
    rows += [
        measure(family, n, degree) for family, degree in FIXED_DEGREES.items() for n in FIXED_SIZES if n <= largest
    ]
    save("paper_pruned_fraction", rows)
    save("paper_pruned_fraction_fit", [{"family": GROWING, "neurons": f"up to {largest}", **fit(rows)}])
    draw(rows)


if __name__ == "__main__":
    main()
    save_cost("pruned_fraction")
