"""What does the noise rule preserve of the paper's network, and what do weights?

The paper's three clusters at its own size, signed; mean over draws, kept shares of 5, 10 and 20 %.
"""

from __future__ import annotations

from harness import save  # first: it pins the threads

import warnings

import numpy as np

import noiseprune
from noiseprune.comparison import Reference

DRAWS = 5
warnings.simplefilter("ignore", noiseprune.NoisePruneWarning)  # at 5 % pieces fall off: that is what is measured
RULES = {"noise": "noise rule", "weight": "by weights", "uniform": "uniform"}


def main() -> None:
    net = noiseprune.gallery.clustered([1000, 200, 800], within=0.6, between=5000, signed=True, rng=1)
    reference = Reference(net, rng=1)
    rows = []
    for density in (0.05, 0.1, 0.2):
        for rule, name in RULES.items():
            found = [
                reference.compare(noiseprune.prune(net, density=density, rule=rule, compare=False, rng=seed).network)
                for seed in range(DRAWS)
            ]
            error = {key: np.mean([c.eigenvalue_error[key] for c in found]) for key in found[0].eigenvalue_error}
            low, high = np.mean([c.worst_direction_interval for c in found], axis=0)
            rows.append(
                {
                    "kept": f"{100 * density:g} %",
                    "rule": name,
                    "median": round(error["median"], 3),
                    "95 %": round(error["p95"], 3),
                    "max": round(error["max"], 3),
                    "ten slowest": round(error["slowest"], 3),
                    "worst direction": round(np.mean([c.worst_direction for c in found]), 2),
                    "interval": f"{low:.2f} - {high:.2f}",
                    "covariance": round(np.mean([c.covariance_error for c in found]), 3),
                    "components": round(np.mean([c.components_after for c in found]), 1),
                }
            )
    save("paper_experiment", rows)


if __name__ == "__main__":
    main()
