"""Prune a trained continuous-time network end to end, without labels, and see what is left of its task.

    python examples/trained_rnn.py FOLDER/dm1seqr.npz

The file holds a tanh network, inputs to calibrate with, and inputs with targets to judge by. For networks of torch itself it
is one line: ``prune_(gru, density=0.1, inputs=x, strengthen="staged")``.
"""

from __future__ import annotations

import copy
import sys

import numpy as np
import torch
from torch import nn

from noiseprune.torch import InputNoise, IntrinsicNoise, Leaky, prune_, save_sparse


class Network(nn.Module):
    """v <- (1 - alpha) v + alpha (W_in u + W_rec tanh(v) + b); the answer is the largest of W_out tanh(v) + b_out."""

    def __init__(self, stored: dict[str, torch.Tensor]) -> None:
        super().__init__()
        for name in ("W_in", "W_rec", "b", "W_out", "b_out"):
            setattr(self, name, nn.Parameter(stored[name]))
        self.alpha = float(stored["alpha"])

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return outputs (T, trials, classes) for inputs (T, trials, channels)."""
        v = torch.zeros(inputs.shape[1], len(self.b))
        outputs = []
        for u in inputs:
            v = (1 - self.alpha) * v + self.alpha * (u @ self.W_in.T + torch.tanh(v) @ self.W_rec.T + self.b)
            outputs.append(torch.tanh(v) @ self.W_out.T + self.b_out)
        return torch.stack(outputs)


with np.load(sys.argv[1]) as file:
    stored = {name: torch.as_tensor(file[name]) for name in file.files}
network = Network(stored)
scored = stored["eval_weight"] * (stored["eval_targets"] >= 0)


@torch.no_grad()
def accuracy(network: Network) -> float:
    """Weighted share of right answers; the only use of labels."""
    right = network(stored["eval_inputs"]).argmax(dim=-1) == stored["eval_targets"]
    return float((scored * right).sum() / scored.sum())


recurrent = Leaky("W_rec", "W_in", "b", alpha=network.alpha)
intact = accuracy(network)
for options in ({"inputs": stored["calibration_inputs"]}, {"noise": InputNoise()}, {"noise": IntrinsicNoise()}):
    for density in (0.2, 0.1, 0.05):
        pruned = copy.deepcopy(network)
        info = prune_(pruned, density, strengthen="staged", recurrent=recurrent, rng=1, **options)
        print(f"{info['ensemble']}, {density} kept: {accuracy(pruned) / intact:.3f} of the accuracy")
save_sparse(pruned, "pruned.safetensors", overwrite=True)
