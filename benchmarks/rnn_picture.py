"""The picture of docs/trained-rnns.md: retention against density for every rule, from benchmarks/results/rnn.json."""

from __future__ import annotations

import json
from itertools import cycle
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "trained_rnns.png"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#767676", "#000000", "#8c564b")
MARKERS = "os^Dv<>PX"


def main() -> None:
    mpl.use("Agg")
    rows = json.loads((ROOT / "benchmarks" / "results" / "rnn.json").read_text(encoding="utf-8"))["rows"]
    pruned = [name for name in rows[0] if name.endswith(" % pruned") and " at " not in name]
    kept = [100 - float(name.split()[0]) for name in pruned]
    ensembles = list(dict.fromkeys(row["ensemble"] for row in rows))
    methods = dict.fromkeys(row["method"] for row in rows)
    looks = dict(zip(methods, cycle(zip(COLOURS, MARKERS, strict=True)), strict=False))
    figure, axes = plt.subplots(1, len(ensembles), figsize=(12, 3.8), sharey=True, layout="constrained")
    for ax, ensemble in zip(axes, ensembles, strict=True):
        for row in (row for row in rows if row["ensemble"] == ensemble):
            colour, marker = looks[row["method"]]
            ax.plot(kept, [row[name] for name in pruned], marker + "-", ms=5, lw=1.4, color=colour, label=row["method"])
        ax.set(xscale="log", title=ensemble, xlabel="weights kept (%)", xticks=kept)
        ax.set_xticklabels([f"{value:g}" for value in kept])
        ax.minorticks_off()
        ax.invert_xaxis()
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("accuracy after / before")
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(PICTURE, dpi=130)


if __name__ == "__main__":
    main()
