"""What is left of gated networks, trained here until they solve a task, at 30 to 10 % of their recurrent weights?

A copy task (remember three symbols, say them after a delay) and the adding task (the sum of the two marked numbers).
"""

from __future__ import annotations

from harness import one_thread, save  # first: it pins the threads

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from noiseprune.torch import prune_

HIDDEN = 64
SYMBOLS, ITEMS, DELAY = 4, 3, 4
STEPS = 20  # of the adding task
TOLERANCE = 0.1  # of a sum of two numbers between 0 and 1 that counts as right
SOLVED = 0.99
MAX_UPDATES = 6000
KEPT = [0.3, 0.2, 0.1]
METHODS: dict[str, dict[str, Any]] = {
    "magnitude": {"rule": "magnitude", "strengthen": "none"},
    "magnitude, refitted": {"rule": "magnitude", "strengthen": "regressed"},
    "noise rule": {"rule": "noise", "strengthen": "none"},
    "noise rule, refitted": {"rule": "noise", "strengthen": "regressed"},
    "staged": {"strengthen": "staged"},
}

Batch = tuple[torch.Tensor, torch.Tensor]


def copying(trials: int, random: torch.Generator) -> Batch:
    """Inputs (T, trials, symbols + 1): symbols, silence, then a cue that asks for them; targets (T, trials), -1 where free."""
    symbols = torch.randint(SYMBOLS, (ITEMS, trials), generator=random)
    silence = torch.zeros(DELAY + ITEMS, trials, SYMBOLS + 1)
    silence[-ITEMS:, :, -1] = 1
    shown = nn.functional.one_hot(symbols, SYMBOLS + 1).float()
    targets = torch.full((2 * ITEMS + DELAY, trials), -1)
    targets[-ITEMS:] = symbols
    return torch.cat([shown, silence]), targets


def adding(trials: int, random: torch.Generator) -> Batch:
    """Inputs (T, trials, 2): a number and whether it is marked; targets (trials,): the sum of the two marked numbers."""
    numbers = torch.rand(STEPS, trials, generator=random)
    marks = torch.zeros(STEPS, trials)
    half = STEPS // 2
    for first in (0, half):
        marks.scatter_(0, first + torch.randint(half, (1, trials), generator=random), 1.0)
    return torch.stack([numbers, marks], dim=-1), (numbers * marks).sum(dim=0)


def copying_loss(output: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return nn.functional.cross_entropy(output.flatten(0, 1), targets.flatten(), ignore_index=-1)


def copying_score(output: torch.Tensor, targets: torch.Tensor) -> float:
    scored = targets >= 0
    return float((output.argmax(dim=-1) == targets)[scored].float().mean())


def adding_loss(output: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return (output[-1, :, 0] - targets).square().mean()


def adding_score(output: torch.Tensor, targets: torch.Tensor) -> float:
    return float(((output[-1, :, 0] - targets).abs() < TOLERANCE).float().mean())


TASKS: dict[str, tuple[Callable[..., Batch], Callable[..., torch.Tensor], Callable[..., float], int, int]] = {
    "copy": (copying, copying_loss, copying_score, SYMBOLS + 1, SYMBOLS),
    "adding": (adding, adding_loss, adding_score, 2, 1),
}


def trained(kind: type[nn.GRU | nn.LSTM], task: str) -> tuple[nn.Module, nn.Linear, int]:
    """Train until the task is solved; return the network, its readout and the updates it took."""
    make, loss, score, n_inputs, n_outputs = TASKS[task]
    torch.manual_seed(71)
    network, readout = kind(n_inputs, HIDDEN), nn.Linear(HIDDEN, n_outputs)
    random = torch.Generator().manual_seed(72)
    optimizer = torch.optim.Adam([*network.parameters(), *readout.parameters()], lr=3e-3)
    for update in range(MAX_UPDATES):
        inputs, targets = make(128, random)
        output = readout(network(inputs)[0])
        if update % 50 == 0 and score(output, targets) >= SOLVED:
            return network, readout, update
        optimizer.zero_grad()
        loss(output, targets).backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    raise RuntimeError(f"{kind.__name__} did not solve the {task} task in {MAX_UPDATES} updates")


def main() -> None:
    one_thread()
    rows = []
    for task, (make, _, score, *_) in TASKS.items():
        for kind in (nn.GRU, nn.LSTM):
            network, readout, updates = trained(kind, task)
            inputs, targets = make(2000, torch.Generator().manual_seed(73))
            unlabelled, _ = make(500, torch.Generator().manual_seed(74))

            def judged(module: nn.Module) -> float:
                with torch.no_grad():
                    return score(readout(module(inputs)[0]), targets)  # noqa: B023 - called at once

            intact = judged(network)
            for source, options in {
                "unlabelled inputs": {"inputs": unlabelled},
                "input noise": {"noise": "input"},
            }.items():
                for method, how in METHODS.items():
                    row = {"task": task, "network": kind.__name__, "ensemble": source, "method": method}
                    for kept in KEPT:
                        pruned = copy.deepcopy(network)
                        prune_(pruned, kept, **options, **how)
                        row[f"{100 * kept:.0f} % kept"] = round(judged(pruned) / intact, 3)
                    rows.append(row | {"intact": round(intact, 3), "updates": updates})
                save("gated", rows)


if __name__ == "__main__":
    main()
