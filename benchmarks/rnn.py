"""What is left of four trained networks at a fifth to a thirtieth of their weights? Without labels. Reads NOISEPRUNE_DATA.

The continuous-time networks of "noise pruning of CTRNNs" (2026), 512 neurons each. Retention is accuracy after over accuracy
before; labels are used for that alone.
"""

from __future__ import annotations

from harness import one_thread, save  # first: it pins the threads

import copy
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from noiseprune.torch import InputNoise, IntrinsicNoise, Leaky, evaluate, prune_

PRUNED = [0.8, 0.9, 0.95, 0.97]
TASKS = ["dmsintseq", "dlydm1intseq", "dm1seqr", "ctxdlydm1intseq"]
STAGED = {"strengthen": "staged"}
METHODS: dict[str, dict[str, Any]] = {
    "magnitude": {"rule": "magnitude", "strengthen": "none"},
    "magnitude, refitted": {"rule": "magnitude", "strengthen": "regressed"},
    "by weights, fixed draw, 1/p": {"rule": "weight", "draw": "fixed", "strengthen": "reciprocal"},
    "noise rule, fixed draw, 1/p": {"rule": "noise", "draw": "fixed", "strengthen": "reciprocal"},
    "noise rule, 1/p": {"rule": "noise", "strengthen": "reciprocal"},
    "noise rule, 1/p capped at the median": {"rule": "noise", "strengthen": "reciprocal", "cap": 0.5},
    "noise rule, refitted": {"rule": "noise", "strengthen": "regressed"},
    "staged, as many for every neuron": {"strengthen": "staged", "per": "row"},
    "staged": STAGED,
}
UNDER_NOISE = [
    "magnitude, refitted",
    "noise rule, 1/p",
    "noise rule, refitted",
]  # the others read no activity, or show little
# what must hold, by ensemble, for 80, 90, 95 and 97 % pruned
AIMS = {
    "unlabelled inputs": [0.995, 0.985, 0.94, 0.80],
    "input noise": [0.99, 0.98, 0.90],
    "intrinsic noise 0.001": [0.95, 0.80],
    "intrinsic noise 0.1": [0.90],
}


class Trained(nn.Module):
    """One of the networks, with what it is judged by."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        with np.load(path) as file:
            stored = {name: torch.as_tensor(file[name]) for name in file.files}
        for name in ("W_in", "W_rec", "b", "W_out", "b_out"):
            setattr(self, name, nn.Parameter(stored[name].float()))
        self.inputs, self.targets, self.weight = (stored[f"eval_{k}"] for k in ("inputs", "targets", "weight"))
        self.calibration = stored["calibration_inputs"].float()
        self.recurrent = Leaky("W_rec", "W_in", "b", alpha=float(stored["alpha"]))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        v = inputs.new_zeros(inputs.shape[1], self.b.numel())
        alpha = 1 - self.recurrent.memory
        outputs = []
        for u in inputs:
            v = (1 - alpha) * v + alpha * (u @ self.W_in.T + torch.tanh(v) @ self.W_rec.T + self.b)
            outputs.append(torch.tanh(v) @ self.W_out.T + self.b_out)
        return torch.stack(outputs)

    def accuracy(self) -> float:
        with torch.no_grad():
            answers = self(self.inputs.float()).argmax(dim=-1)
        scored = self.weight.float() * (self.targets >= 0)
        return float((scored * (answers == self.targets)).sum() / scored.sum())


def ensembles(network: Trained) -> dict[str, dict[str, Any]]:
    """Where activity comes from, by the names that the table shows."""
    return {
        "unlabelled inputs": {"inputs": network.calibration},
        "input noise": {"noise": InputNoise()},
        "intrinsic noise 0.001": {"noise": IntrinsicNoise(std=0.001)},
        "intrinsic noise 0.1": {"noise": IntrinsicNoise(std=0.1)},
    }


def retentions(network: Trained, options: dict[str, Any]) -> Iterator[tuple[float, dict[str, Any]]]:
    """Prune copies of a network to every density; yield retention and what `prune_` says."""
    intact = network.accuracy()
    for share in PRUNED:
        pruned = copy.deepcopy(network)
        info = prune_(pruned, 1 - share, recurrent=network.recurrent, rng=1, **options)
        info["drift"] = evaluate(pruned, network, network.calibration, recurrent=network.recurrent)["output_drift"]
        yield pruned.accuracy() / intact, info


def row(ensemble: str, method: str, networks: list[Trained], options: dict[str, Any]) -> dict[str, Any]:
    """One method on all networks: mean retention at every density, and the seconds of the sparsest."""
    found = [list(retentions(network, ensembles(network)[ensemble] | options)) for network in networks]
    mean = np.mean([[retention for retention, _ in one] for one in found], axis=0)
    at_95 = [one[PRUNED.index(0.95)] for one in found]
    return {
        "ensemble": ensemble,
        "method": method,
        **{f"{100 * share:g} % pruned": round(float(value), 3) for share, value in zip(PRUNED, mean, strict=True)},
        "each at 95 % pruned": " ".join(f"{retention:.2f}" for retention, _ in at_95),
        "drift at 95 % pruned": round(float(np.mean([info["drift"] for _, info in at_95])), 3),
        "s at 95 % pruned": round(float(np.mean([info["seconds"] for _, info in at_95])), 2),
    }


def aims(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The staged rows beside what must hold."""
    shown = []
    for one in rows:
        if one["method"] == "staged":
            for share, aim in zip(PRUNED, AIMS[one["ensemble"]], strict=False):
                name = f"{100 * share:g} % pruned"
                met = "yes" if one[name] >= aim else "no"
                shown.append(
                    {
                        "ensemble": one["ensemble"],
                        "pruned": f"{100 * share:g} %",
                        "retention": one[name],
                        "aim": aim,
                        "met": met,
                    }
                )
    return shown


def main() -> None:
    folder = os.environ.get("NOISEPRUNE_DATA")
    if not folder or not (Path(folder) / "rnn").is_dir():
        print("skipped: set NOISEPRUNE_DATA to the folder that holds rnn/")
        sys.exit(0)
    one_thread()
    networks = [Trained(Path(folder) / "rnn" / f"{task}.npz") for task in TASKS]
    rows = []
    for ensemble in AIMS:
        rows.append(row(ensemble, "staged", networks, STAGED))
        save("rnn_aims", aims(rows))
    for ensemble in AIMS:
        for method, options in METHODS.items():
            if method != "staged" and (ensemble == "unlabelled inputs" or method in UNDER_NOISE):
                rows.append(row(ensemble, method, networks, options))
                save(
                    "rnn",
                    sorted(rows, key=lambda r: (list(AIMS).index(r["ensemble"]), list(METHODS).index(r["method"]))),
                )
    import rnn_picture

    rnn_picture.main()


if __name__ == "__main__":
    main()
