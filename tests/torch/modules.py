"""The zoo of modules: small ones of every kind, each with its own seed, without touching torch's global generator."""

from __future__ import annotations

from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install torch (see the README for its CPU build)")
from torch import nn

from noiseprune.torch import Leaky

N_INPUTS = 3


class Continuous(nn.Module):
    """Somebody's own leaky network, its bias in two parts and its weights in a submodule."""

    def __init__(self, n: int = 24, seed: int = 31) -> None:
        super().__init__()
        random = torch.Generator().manual_seed(seed)
        self.hidden = nn.Linear(n, n)
        self.entry = nn.Linear(N_INPUTS, n, bias=False)
        self.offset = nn.Parameter(torch.zeros(n))
        fill(self, random)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        v = inputs.new_zeros(inputs.shape[1], self.offset.numel())
        sent = []
        for u in inputs:
            v = 0.8 * v + 0.2 * (self.entry(u) + self.hidden(torch.tanh(v)) + self.offset)
            sent.append(torch.tanh(v))
        return torch.stack(sent)


CONTINUOUS = Leaky("hidden.weight", "entry.weight", ["hidden.bias", "offset"], alpha=0.2)


def fill(module: nn.Module, random: torch.Generator) -> nn.Module:
    """Normal weights whose recurrent drive is of order one."""
    with torch.no_grad():
        for parameter in module.parameters():
            spread = parameter.shape[-1] ** -0.5 if parameter.ndim > 1 else 0.2
            parameter.copy_(spread * torch.randn(parameter.shape, generator=random))
    return module


def made(module: nn.Module, seed: int) -> nn.Module:
    return fill(module, torch.Generator().manual_seed(seed))


SEQUENCES: dict[str, Callable[[], nn.Module]] = {
    "tanh": lambda: made(nn.RNN(N_INPUTS, 16, num_layers=2), 11),
    "relu": lambda: made(nn.RNN(N_INPUTS, 16, nonlinearity="relu"), 12),
    "gru": lambda: made(nn.GRU(N_INPUTS, 16, num_layers=2, bidirectional=True), 13),
    "gru without bias": lambda: made(nn.GRU(N_INPUTS, 16, bias=False), 14),
    "gru batch first": lambda: made(nn.GRU(N_INPUTS, 16, batch_first=True), 15),
    "lstm": lambda: made(nn.LSTM(N_INPUTS, 16, bidirectional=True), 16),
    "lstm projected": lambda: made(nn.LSTM(N_INPUTS, 16, num_layers=2, proj_size=6), 17),
}
CELLS: dict[str, Callable[[], nn.Module]] = {
    "rnn cell": lambda: made(nn.RNNCell(N_INPUTS, 16, nonlinearity="relu"), 21),
    "gru cell": lambda: made(nn.GRUCell(N_INPUTS, 16), 22),
    "lstm cell": lambda: made(nn.LSTMCell(N_INPUTS, 16), 23),
}


def inputs(seed: int = 41, steps: int = 12, trials: int = 40) -> torch.Tensor:
    """Unlabelled inputs, (T, trials, inputs)."""
    return torch.randn(steps, trials, N_INPUTS, generator=torch.Generator().manual_seed(seed))


def laid_out(module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """The inputs as the module takes them."""
    return x.transpose(0, 1) if getattr(module, "batch_first", False) else x
