"""What can be pruned from a real connectome, and what cannot? Sweeps of the worm and the larva. Reads NOISEPRUNE_DATA."""

from __future__ import annotations

from harness import save  # first: it pins the threads

import os
import sys
import warnings
from pathlib import Path
from typing import Any

import noiseprune
from noiseprune.experiments.table import Sweep

DRAWS = 10
DENSITIES = [0.1, 0.2, 0.3, 0.5, 0.8]
PICTURE = Path(__file__).parents[1] / "docs" / "connectomes.png"
STYLES = {
    ("noise", "reciprocal"): ("noise rule, 1/p", "#0072b2", "o", "--"),
    ("noise", "regressed"): ("noise rule, regressed", "#0072b2", "o", "-"),
    ("weight", "reciprocal"): ("by weights, 1/p", "#d55e00", "^", "--"),
    ("weight", "regressed"): ("by weights, regressed", "#d55e00", "^", "-"),
    ("magnitude", "reciprocal"): ("largest weights as they are", "#555555", "s", ":"),
}
MEASURES = {"trajectory_error_linear": "error of noisy runs", "components_after": "connected components"}


def networks(folder: Path) -> dict[str, noiseprune.Network]:
    """The three networks, with the leak that noiseprune makes for weights without one."""
    worm, larva = folder / "worm_connectome.csv", folder / "larva_mb_left_adjacency.csv"
    return {
        "worm, chemical": noiseprune.read(worm, where="Type=Send", inhibitory="GABA"),
        "worm, with gap junctions": noiseprune.read(worm, inhibitory="GABA", electrical="Type=GapJunction"),
        "larva": noiseprune.read(larva, orientation="pre-post"),
    }


def shown(name: str, row: dict[str, Any]) -> dict[str, Any]:
    """Pick what the table shows, mean and standard error."""

    def number(key: str, digits: int) -> str:
        value, error = row[key], row[f"{key}_se"]
        return "" if value is None else f"{value:.{digits}f} ± {error or 0:.{digits}f}"

    return {
        "network": name,
        "kept": f"{100 * row['target_density']:g} %",
        "rule": row["rule"],
        "weights": row["strengthen"],
        "stable": "" if row["stable"] is None else f"{100 * row['stable']:.0f} %",
        "noisy runs": number("trajectory_error_linear", 3),
        "rectified": number("trajectory_error_rectified", 3),
        "median eigenvalue": number("eigenvalue_error_median", 3),
        "components": number("components_after", 1),
        "orphans": number("newly_disconnected", 1),
    }


def draw(sweeps: dict[str, Sweep]) -> None:
    """Error and connected components against density, a column a network."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(len(MEASURES), len(sweeps), figsize=(10, 5.6), layout="constrained", sharex=True)
    for column, (name, table) in zip(panels.T, sweeps.items(), strict=True):
        column[0].set_title(name, fontsize=10)
        for axes, key in zip(column, MEASURES, strict=True):
            for (rule, weights), (words, colour, marker, line) in STYLES.items():
                rows = [r for r in table.rows if (r["rule"], r["strengthen"]) == (rule, weights) and r[key] is not None]
                axes.errorbar(
                    [r["target_density"] for r in rows],
                    [r[key] for r in rows],
                    [r[f"{key}_se"] or 0 for r in rows],
                    fmt=marker,
                    ls=line,
                    color=colour,
                    ms=4,
                    lw=1.2,
                    label=words,
                )
            axes.set_yscale("log")
            axes.grid(alpha=0.3, linewidth=0.5)
        column[-1].set_xlabel("kept share of the synapses")
    for axes, label in zip(panels[:, 0], MEASURES.values(), strict=True):
        axes.set_ylabel(label)
    figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8)
    figure.savefig(PICTURE, dpi=150)


def main() -> None:
    folder = os.environ.get("NOISEPRUNE_DATA")
    if not folder:
        print("skipped: set NOISEPRUNE_DATA to the folder of the connectomes")
        sys.exit(0)
    warnings.simplefilter("ignore", noiseprune.NoisePruneWarning)  # pieces fall off: that is what is measured
    rows, sweeps = [], {}
    for name, net in networks(Path(folder)).items():
        parts = [
            noiseprune.sweep(net, densities=DENSITIES, rules=rules, strengthens=weights, draws=DRAWS, workers=2, rng=1)
            for rules, weights in ((["noise", "weight"], ["reciprocal", "regressed"]), (["magnitude"], ["reciprocal"]))
        ]
        sweeps[name] = Sweep([r for p in parts for r in p.rows], [], None, "", {})
        rows += [shown(name, row) for row in sweeps[name].rows]
        save("connectomes", rows)
    draw(sweeps)


if __name__ == "__main__":
    main()
