"""What the scripts of this folder share: the paper's network, the look of the rules, where tables and pictures go."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from harness import RESULTS, save  # first: it pins the threads

import json
import time
import warnings

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import psutil

import noiseprune
from noiseprune.view import plots
from noiseprune.dynamics.stationary import Inverse
from noiseprune.dynamics.runs import linear_operator
from noiseprune.linalg.spectrum import extreme_generalised

__all__ = ["PICTURES", "RULES", "panels", "save", "save_cost", "save_picture", "three_clusters", "worst_interval"]

PICTURES = Path(__file__).parents[2] / "docs" / "paper"

warnings.simplefilter("ignore", noiseprune.NoisePruneWarning)  # pieces that fall off are counted in the tables


class Look(NamedTuple):
    """How a rule is called and drawn."""

    name: str
    colour: str
    marker: str
    line: str


RULES = {
    "noise": Look("noise rule", plots.BLUE, "o", "-"),
    "weight": Look("by weights", plots.VERMILION, "^", "--"),
    "uniform": Look("uniform", plots.GREEN, "s", "-."),
}


def three_clusters() -> noiseprune.Network:
    """The network of the authors' notebooks: 2 000 neurons in three clusters, signed, 5 000 long-range synapses."""
    return noiseprune.gallery.clustered([1000, 200, 800], within=0.6, between=5000, signed=True, rng=1)


def worst_interval(before: noiseprune.Network, after: noiseprune.Network) -> tuple[float, float]:
    """Return the smallest and the largest generalised eigenvalue of (-A', -A) at any size, by LOBPCG or Lanczos."""
    A, pruned = Inverse(before), linear_operator(after)
    return extreme_generalised(A.product, lambda x: -(pruned @ x), A.solve, A.roughly, before.n_neurons)


def save_cost(script: str) -> None:
    """Keep what this process has taken, beside the other scripts: minutes, and the peak of its resident memory (Linux)."""
    if len(sys.argv) > 1:
        return  # a part only
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 2**20
    minutes = (time.time() - psutil.Process().create_time()) / 60
    kept = RESULTS / "paper_cost.json"
    rows = json.loads(kept.read_text(encoding="utf-8"))["rows"] if kept.exists() else []
    mine = {"script": script, "minutes": round(minutes, 2), "peak memory, GiB": round(peak, 1)}
    save("paper_cost", sorted([row for row in rows if row["script"] != script] + [mine], key=lambda row: row["script"]))


def panels(rows: int, columns: int, *, width: float = 3.3, height: float = 2.9):
    """Make a figure with so many axes; return both."""
    return plt.subplots(rows, columns, figsize=(width * columns, height * rows), layout="constrained", squeeze=False)


def save_picture(figure, name: str) -> None:
    for ax in figure.axes:
        ax.spines[["top", "right"]].set_visible(False)
    PICTURES.mkdir(exist_ok=True)
    figure.savefig(PICTURES / f"{name}.png", dpi=130)
    print(f"wrote {PICTURES / name}.png")
