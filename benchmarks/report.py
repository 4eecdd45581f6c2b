"""How long does the page of a large result take beyond the result itself, and how large is it?

A million neurons and ten million synapses must take under a minute and 1.5 MB. Nothing is compared here: a comparison
adds numbers to the page and no drawing that takes time.
"""

from __future__ import annotations

from harness import save  # first: it pins the threads

import tempfile
import time
import warnings
from pathlib import Path

from networks import grouped

import noiseprune
from noiseprune import Network, NoisePruneWarning, gallery
from noiseprune.probes import Sketched


def directed(net: Network) -> Network:
    """The same synapses, without their symmetry: each weight from one neuron to the other is its own."""
    weights = net.weights.copy()
    weights.data[::3] *= 0.5
    return Network(weights, net.leak)


NETWORKS = {
    "clusters": lambda: grouped(1_000_000, 5_000_000),
    "sheet": lambda: gallery.sheet(1000, 1000, radius=1.5, excess=1e-5, rng=3),
    "clusters, directed": lambda: directed(grouped(1_000_000, 5_000_000)),
    "the paper's, compared": lambda: gallery.clustered([1000, 200, 800], within=0.6, between=5000, signed=True, rng=1),
}


def row(name: str) -> dict[str, object]:
    net = NETWORKS[name]()
    large = net.n_neurons > 100_000
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoisePruneWarning)
        result = noiseprune.prune(
            net, density=0.3, probe=Sketched(16) if large else "auto", strengthen="reciprocal", compare=not large, rng=1
        )
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        start = time.perf_counter()
        noiseprune.report(result, page)
        seconds = time.perf_counter() - start
        size = page.stat().st_size
    return {
        "network": name,
        "neurons": net.n_neurons,
        "synapses": net.n_synapses,
        "page, s": round(seconds, 1),
        "page, MB": round(size / 1e6, 2),
    }


if __name__ == "__main__":
    save("report", [row(name) for name in NETWORKS])
