"""The picture of the README: the paper's network at 10 %, by the noise rule and by weights."""

from __future__ import annotations

from setting import PICTURES, RULES, three_clusters  # first: it pins the threads

import matplotlib.pyplot as plt
import numpy as np
import scipy.linalg

import noiseprune

PICTURE = PICTURES.parent / "paper_network.png"


def main() -> None:
    net = three_clusters()
    A = -net.matrix().toarray()
    values = np.linalg.eigvalsh(A)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for rule in ("noise", "weight"):
        name, colour, marker, _ = RULES[rule]
        pruned = -noiseprune.prune(net, density=0.1, rule=rule, compare=False, rng=1).network.matrix().toarray()
        left.plot(
            np.arange(1, values.size + 1),
            np.linalg.eigvalsh(pruned) / values,
            marker,
            ms=2.5,
            color=colour,
            label=name,
            rasterized=True,
        )
        g = scipy.linalg.eigh(pruned, A, eigvals_only=True)
        right.hist(g, bins=np.linspace(0, 2.4, 90), histtype="step", lw=1.6, color=colour, label=name)
        for end in (g[0], g[-1]):
            right.plot(end, 2, marker, color=colour, ms=7)
    left.axhline(1, color="0.5", lw=0.8)
    left.set(xscale="log", xlabel="mode, slowest first", ylabel="eigenvalue after / before", title="Every mode")
    right.set(
        yscale="log",
        xlabel="x'(-A')x / x'(-A)x over all directions x",
        ylabel="directions",
        title="Every direction (markers: the worst two)",
    )
    left.legend(frameon=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle("2 000 neurons in three clusters, one in ten synapses kept", fontsize=11)
    figure.savefig(PICTURE, dpi=130)
    print(f"wrote {PICTURE}")


if __name__ == "__main__":
    main()
