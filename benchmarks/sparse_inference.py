"""Where are CSR weights faster than dense ones, and where not? One thread, sequences of 20 steps."""

from __future__ import annotations

from harness import one_thread, paired, save  # first: it pins the threads

from typing import Any

import numpy as np
import torch
import torch.nn.utils.prune
from torch import nn

from noiseprune.torch import to_sparse

STEPS = 20
SIZES = [256, 512, 1024, 2048]
TRIALS = [1, 64]
KEPT = [0.5, 0.2, 0.1, 0.05, 0.01]


def seconds(n: int, kept: float, inputs: torch.Tensor) -> tuple[float, float]:
    """Median time of a run of a pruned network and of its sparse copy, in turn; which weights are zero does not matter."""
    torch.manual_seed(81)
    network = nn.RNN(inputs.shape[-1], n)
    nn.utils.prune.random_unstructured(network, "weight_hh_l0", amount=1 - kept)
    nn.utils.prune.remove(network, "weight_hh_l0")
    sparse = to_sparse(network)
    with torch.no_grad():
        dense_s, sparse_s = paired(lambda: network(inputs), lambda: sparse(inputs), repeats=7)
    return float(np.median(dense_s)), float(np.median(sparse_s))


def main() -> None:
    one_thread()
    rows = []
    for n in SIZES:
        for trials in TRIALS:
            row: dict[str, Any] = {"neurons": n, "trials": trials}
            inputs = torch.zeros(STEPS, trials, 8)
            for kept in KEPT:
                dense_s, sparse_s = seconds(n, kept, inputs)
                row.setdefault("dense, ms", round(1e3 * dense_s, 2))
                row[f"{100 * kept:g} % kept, times faster"] = round(dense_s / sparse_s, 2)
            rows.append(row)
            save("sparse_inference", rows)


if __name__ == "__main__":
    main()
