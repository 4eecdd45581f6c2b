"""Whether results are the same, bit for bit, as when they were recorded.

    python benchmarks/same_bits.py record FILE.json      before a change that should change nothing
    python benchmarks/same_bits.py check FILE.json       after it, on the same machine

Digests of the kept set, the weights and the leak of prunes by every rule, strengthening, probe and draw,
symmetric and directed, of a run, a sweep and a torch module. Threads are pinned to one; through BLAS the bits belong to one
machine.
"""

import hashlib
import json
import sys
import warnings
from pathlib import Path

import numpy as np

import noiseprune
from noiseprune import gallery, probes

SYMMETRIC = {"within": 0.6, "between": 200, "signed": True}


def networks():
    clusters = gallery.clustered([60, 12, 48], **SYMMETRIC, rng=31)
    unequal = noiseprune.Network(clusters.weights, clusters.leak * 1.2, np.linspace(0.5, 2, clusters.n_neurons))
    return {
        "symmetric": clusters,
        "directed": gallery.excitatory_inhibitory(120, rng=32),
        "unequal noise": unequal,
        "rectified": noiseprune.Network(clusters.weights, clusters.leak * 1.2, activation="rectified"),
    }


CASES = [
    ("symmetric", {}),
    ("symmetric", {"rule": "weight"}),
    ("symmetric", {"rule": "uniform", "draw": "fixed"}),
    ("symmetric", {"rule": "magnitude"}),
    ("symmetric", {"strengthen": "matched"}),
    ("symmetric", {"strengthen": "matched", "leak": "free"}),
    ("symmetric", {"strengthen": "regressed"}),
    ("symmetric", {"leak": "original", "draw": "fixed"}),
    ("symmetric", {"probe": "sketched"}),
    ("symmetric", {"probe": "sketched", "strengthen": "matched"}),
    ("symmetric", {"keep_connected": True}),
    ("symmetric", {"epsilon": 0.9}),
    ("directed", {}),
    ("directed", {"rule": "weight", "strengthen": "reciprocal"}),
    ("directed", {"rule": "magnitude"}),
    ("directed", {"draw": "fixed", "leak": "free"}),
    ("directed", {"probe": "sketched"}),
    ("directed", {"keep_connected": True, "strengthen": "reciprocal"}),
    ("unequal noise", {}),
    ("unequal noise", {"strengthen": "reciprocal", "rule": "uniform"}),
    ("rectified", {"probe": probes.Simulated(replicas=16, duration=5.0)}),
]


def digest(*arrays):
    hasher = hashlib.sha256()
    for array in arrays:
        hasher.update(np.ascontiguousarray(array).tobytes())
    return hasher.hexdigest()


def of_network(network):
    csr = network.link_matrix
    return digest(csr.indptr.astype("<i8"), csr.indices.astype("<i8"), csr.data, network.leak, network.noise_std)


def digests():
    nets, found = networks(), {}
    for name, options in CASES:
        budget = {} if "epsilon" in options else {"density": 0.4}
        result = noiseprune.prune(nets[name], **budget, **options, compare=False, threads=1, rng=17)
        key = f"{name}: " + ", ".join(f"{option}={value}" for option, value in options.items())
        found[key] = digest(result.kept_links) + of_network(result.network)
    trace = noiseprune.run(nets["symmetric"], until_density=0.5, window=2.0, threads=1, rng=5)
    found["run"] = of_network(trace.network) + digest(json.dumps(trace.records, sort_keys=True).encode())
    table = noiseprune.sweep(nets["directed"], densities=[0.4, 0.8], draws=2, rng=3)
    names = ("density", "covariance_error", "decay_error", "trajectory_error_linear", "components_after")
    rows = [[row[name] for name in names] for row in table.rows]
    found["sweep"] = digest(json.dumps(rows).encode())
    try:
        import torch

        from noiseprune.torch import prune_
    except ImportError:
        return found
    torch.manual_seed(4)
    module = torch.nn.GRU(3, 24)
    prune_(module, 0.3, noise="input", rng=6)
    found["torch"] = digest(*(p.detach().numpy() for p in module.parameters()))
    return found


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    verb, path = sys.argv[1], Path(sys.argv[2])
    now = digests()
    if verb == "record":
        path.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
        print(f"recorded {len(now)} digests in {path}")
    else:
        then = json.loads(path.read_text(encoding="utf-8"))
        other = [name for name in then if now.get(name) != then[name]]
        print(
            f"{len(then) - len(other)} of {len(then)} digests are equal" + "".join(f"\n  differs: {n}" for n in other)
        )
        sys.exit(bool(other))
