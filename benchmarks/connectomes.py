"""What is left of real connectomes at half their synapses? Reads NOISEPRUNE_DATA."""

from __future__ import annotations

from harness import save  # first: it pins the threads

import os
import sys
import warnings
from pathlib import Path

import numpy as np
import noiseprune
from noiseprune.comparison import Reference

DRAWS = 10


def main() -> None:
    folder = os.environ.get("NOISEPRUNE_DATA")
    if not folder:
        print("skipped: set NOISEPRUNE_DATA to the folder of the connectomes")
        sys.exit(0)
    worm, larva = Path(folder) / "worm_connectome.csv", Path(folder) / "larva_mb_left_adjacency.csv"
    networks = {
        "worm, chemical": noiseprune.read(worm, where="Type=Send", inhibitory="GABA"),
        "worm, with gap junctions": noiseprune.read(worm, inhibitory="GABA", symmetric_rows="Type=GapJunction"),
        "larva": noiseprune.read(larva, orientation="pre-post"),
    }
    warnings.simplefilter("ignore", noiseprune.NoisePruneWarning)  # pieces fall off: that is what is measured
    rows = []
    for name, net in networks.items():
        reference = Reference(net, rng=1)
        for rule in ("noise", "weight"):
            for connected in (False, True):
                found = [
                    reference.compare(
                        noiseprune.prune(
                            net, density=0.5, rule=rule, keep_connected=connected, compare=False, rng=seed
                        ).network
                    )
                    for seed in range(DRAWS)
                ]
                rows.append(
                    {
                        "network": name,
                        "rule": rule,
                        "kept connected": connected,
                        "stable": f"{sum(bool(c.stable_after) for c in found)} of {DRAWS}",
                        "median eigenvalue error": round(np.mean([c.eigenvalue_error["median"] for c in found]), 3),
                        "covariance error": round(np.median([c.covariance_error for c in found]), 3),
                        "decay error": round(np.mean([c.decay_error for c in found]), 3),
                        "components": f"{found[0].components_before} -> {np.mean([c.components_after for c in found]):.1f}",
                        "orphans": round(np.mean([c.orphans for c in found]), 1),
                    }
                )
    save("connectomes", rows)


if __name__ == "__main__":
    main()
