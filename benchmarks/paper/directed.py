"""(e) Beyond the theorem: directed, non-normal and excitatory-inhibitory networks of 1 000 neurons.

A fifth of the synapses is kept, five draws, by noise, weights and chance; the weights that stay are divided by p, as in
the paper, or refitted (regressed). A measure that a draw leaves undefined, having become unstable, is left out of the
means, and the draws that stayed stable are counted.
"""

from __future__ import annotations

from setting import RULES, panels, save, save_cost, save_picture  # first: it pins the threads

import numpy as np
import scipy.sparse as sp

import noiseprune
from noiseprune.measure.compare import Reference

N = 1000
DENSITY = 0.2
DRAWS = 5
GROUPS = 10


def feed_forward(rng: int = 1) -> noiseprune.Network:
    """Ten groups in a line, each exciting the next strongly and the one before weakly: far from normal, leak 1."""
    random = np.random.default_rng(rng)
    size = N // GROUPS
    W = np.zeros((N, N))
    for group in range(GROUPS):
        here = slice(group * size, (group + 1) * size)
        for other, strength in ((group - 1, 2.0), (group, 0.3), (group + 1, 0.02)):
            if 0 <= other < GROUPS:
                there = slice(other * size, (other + 1) * size)
                W[here, there] = strength * (random.random((size, size)) < 0.3) * random.lognormal(size=(size, size))
    np.fill_diagonal(W, 0)
    return noiseprune.Network(sp.csr_array(W / (0.3 * size * np.exp(0.5))), leak=1.0)


def networks() -> dict[str, noiseprune.Network]:
    gallery = noiseprune.gallery
    clusters = {"sizes": [500, 100, 400], "within": 0.3, "between": 5 * N, "symmetric": False, "signed": True, "rng": 1}
    return {
        "directed clusters, dominant": gallery.clustered(**clusters),
        "directed clusters, gain 0.9": gallery.clustered(**clusters, gain=0.9),
        "feed-forward groups": feed_forward(),
        "excitatory-inhibitory": gallery.excitatory_inhibitory(N, rng=1),
    }


def departure_from_normality(net: noiseprune.Network) -> float:
    """Henrici's: the part of ||A||_F that is not in the eigenvalues; 0 for a normal matrix, 1 for a nilpotent one."""
    A = net.matrix().toarray()
    A -= np.trace(A) / len(A) * np.eye(len(A))  # a leak common to all is no part of it
    size = np.linalg.norm(A) ** 2
    return float(np.sqrt(max(size - np.sum(abs(np.linalg.eigvals(A)) ** 2), 0) / size))


def mean(values: list[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return round(float(np.mean(found)), 3) if found else None


def main() -> None:
    rows = []
    for name, net in networks().items():
        reference, departure = Reference(net, rng=1), departure_from_normality(net)
        for strengthen in ("reciprocal", "regressed"):
            for rule, look in RULES.items():
                found = []
                for seed in range(DRAWS):
                    result = noiseprune.prune(
                        net, density=DENSITY, rule=rule, strengthen=strengthen, compare=False, rng=seed
                    )
                    found.append(reference.compare(result.network))
                rows.append(
                    {
                        "network": name,
                        "departure from normality": round(departure, 2),
                        "weights": "1/p" if strengthen == "reciprocal" else strengthen,
                        "rule": look.name,
                        "stable": f"{sum(c.stable_after for c in found)} of {DRAWS}",
                        "abscissa before": mean([c.spectral_abscissa_before for c in found]),
                        "abscissa after": mean([c.spectral_abscissa_after for c in found]),
                        "eigenvalues, median": mean([c.eigenvalue_error["median"] for c in found]),
                        "ten slowest": mean([c.eigenvalue_error["slowest"] for c in found]),
                        "covariance": mean([c.covariance_error for c in found]),
                        "fixed points": mean([c.fixed_point_error for c in found]),
                        "decay": mean([c.decay_error for c in found]),
                        "noisy runs": mean([c.trajectory_error["linear"] for c in found]),
                        "rectified": mean([c.trajectory_error["rectified"] for c in found]),
                    }
                )
                print(rows[-1], flush=True)
    save("paper_directed", rows)
    draw(rows)


def draw(rows: list[dict]) -> None:
    """Draw the error of noisy runs, rule by rule, once with each kind of weights; hollow where a draw became unstable."""
    names = list(dict.fromkeys(row["network"] for row in rows))
    figure, (axes,) = panels(1, 2, width=4.4, height=3.2)
    for ax, weights in zip(axes, ("1/p", "regressed"), strict=True):
        for k, look in enumerate(RULES.values()):
            mine = [row for row in rows if row["weights"] == weights and row["rule"] == look.name]
            for place, row in enumerate(mine):
                filled = look.colour if row["stable"] == f"{DRAWS} of {DRAWS}" else "none"
                label = None if place else look.name
                ax.plot(
                    row["noisy runs"], place + 0.2 * (k - 1), look.marker, color=look.colour, mfc=filled, label=label
                )
        ax.set(xscale="log", xlabel="error of noisy runs", title=f"weights {weights}", xlim=(0.05, 3000))
        ax.set(yticks=range(len(names)), yticklabels=names if ax is axes[0] else [], ylim=(len(names) - 0.5, -0.5))
    axes[1].legend(frameon=False, fontsize=8, loc="upper right")
    save_picture(figure, "directed")


if __name__ == "__main__":
    main()
    save_cost("directed")
