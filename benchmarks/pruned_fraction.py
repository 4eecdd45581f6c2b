"""Does the kept share fall as the network grows, with the theorem's own constant?

Erdos-Renyi with density 0.6, positive, diagonally dominant, epsilon = 0.5: kept share and worst direction of one draw.
"""

from __future__ import annotations

from harness import save  # first: it pins the threads

import numpy as np
import noiseprune

EPSILON = 0.5


def main() -> None:
    rows = []
    for n in (250, 500, 1000, 2000, 4000):
        net = noiseprune.gallery.erdos_renyi(n, 0.6, rng=n)
        result = noiseprune.prune(net, epsilon=EPSILON, rng=n)
        rows.append(
            {
                "neurons": n,
                "pairs": net.n_links,
                "kept share": round(float(result.probability.per_link.mean()), 3),
                "bound 4 n ln n / eps^2 over pairs": round(4 * n * float(np.log(n)) / EPSILON**2 / net.n_links, 3),
                "worst direction": round(result.comparison.worst_direction, 3),
            }
        )
    save("pruned_fraction", rows)


if __name__ == "__main__":
    main()
