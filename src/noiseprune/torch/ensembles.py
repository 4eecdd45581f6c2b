"""Where the activity comes from that pruning preserves: noise on the neurons, noise through the inputs, or examples.

None of them needs a label.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from noiseprune.errors import InvalidOption, check_choice

BATCH = 256  # trials that run at a time
# A ridge that stands for errors of a tenth of each input's standard deviation: once all neurons are pruned, what each one
# reads is wrong by about what its own refit leaves, and that is of this order at a tenth of the weights.
ERRORS = 1e-2
SHARE = 1e-4  # of shared fluctuations in the variance: deviations of 1 % of what a silent run does


class Ensemble(Protocol):
    """What drives a network: batches of inputs, and noise on its state."""

    @property
    def noise_std(self) -> float:
        """Standard deviation of the white noise added to each number of the state at each step."""

    @property
    def ridge(self) -> float:
        """Ridge of the fits, in units of the mean variance of what the weights read."""

    def batches(self, n_inputs: int, generator: torch.Generator) -> Iterator[Tensor]:
        """Yield inputs, (T, trials, n_inputs)."""


@dataclass(frozen=True)
class IntrinsicNoise:
    """Private white noise on each neuron; the input is silent.

    Parameters
    ----------
    std : float
        Standard deviation of what is added to each number of the state at each step.
    steps, trials : int
        Length and number of the runs, each from rest.
    covariance : "simulated" or "lyapunov"
        Of the runs; or of the linearisation around where the network settles in silence, which needs no run.

    Notes
    -----
    Three things are told apart: the run without noise, exactly what the network does in silence; the fluctuations that
    neurons share, which say in which directions it can be pushed off that run; and each neuron's own noise, which says
    nothing about the network. The moments are those of the first, plus `SHARE` of those of the second, whatever the
    standard deviation is; the third is taken off.
    """

    std: float = 0.1
    steps: int = 128
    trials: int = 128
    covariance: Literal["simulated", "lyapunov"] = "simulated"

    # The shared fluctuations already stand for errors; white ones, a tenth of their size, only keep the fits well posed.
    ridge = 1e-6

    def __post_init__(self) -> None:
        _positive(std=self.std)
        _whole(steps=self.steps, trials=self.trials)
        check_choice("covariance", self.covariance, ("simulated", "lyapunov"))

    @property
    def noise_std(self) -> float:
        """Standard deviation of the noise on the state."""
        return self.std

    def batches(self, n_inputs: int, generator: torch.Generator) -> Iterator[Tensor]:  # noqa: ARG002 - a contract
        """Yield silence."""
        for trials in _batch_sizes(self.trials):
            yield torch.zeros(self.steps, trials, n_inputs, device="cpu")


@dataclass(frozen=True)
class InputNoise:
    """Coloured noise sent through the input weights: gated, with tonic levels.

    Channels switch on and off, each by itself. In half of them, drawn for each trial, the level is constant through the
    trial; in the others it is an AR(1) process.

    Parameters
    ----------
    std : float
        Standard deviation of a channel that is on; what inputs of the task are worth.
    active : float
        Channels that are on at a time, on average. One by one they show all that a network near linear does with them
        together, and leave it less saturated.
    correlation : float
        Correlation time of levels and gates, in steps.
    steps, trials : int
        Length and number of the runs, each from rest; four correlation times.
    """

    std: float = 1.0
    active: float = 1.0
    correlation: float = 10.0
    steps: int = 40
    trials: int = 512

    noise_std = 0.0
    ridge = ERRORS

    def __post_init__(self) -> None:
        _positive(std=self.std, active=self.active, correlation=self.correlation)
        _whole(steps=self.steps, trials=self.trials)

    def batches(self, n_inputs: int, generator: torch.Generator) -> Iterator[Tensor]:
        """Yield coloured noise.

        Raises
        ------
        InvalidOption
            Where the module takes no inputs.
        """
        if n_inputs == 0:
            raise InvalidOption("noise='input' needs inputs, and the module takes none: take noise='intrinsic'")
        stays, share = math.exp(-1 / self.correlation), self.active / n_inputs
        for trials in _batch_sizes(self.trials):
            shape = (trials, n_inputs)
            uniform = partial(torch.rand, shape, generator=generator, device="cpu")
            normal = partial(torch.randn, shape, generator=generator, device="cpu")
            tonic = uniform() < 0.5
            gate = uniform() < share
            level = normal()
            inputs = torch.empty(self.steps, *shape, device="cpu")
            for t in range(self.steps):
                inputs[t] = self.std * gate * level
                moved = stays * level + math.sqrt(1 - stays**2) * normal()
                level = torch.where(tonic, level, moved)
                drawn = uniform() < share
                gate = torch.where(uniform() < stays, gate, drawn)
            yield inputs


@dataclass(frozen=True, eq=False)
class Examples:
    """Unlabelled inputs, (T, trials, inputs)."""

    inputs: Tensor

    noise_std = 0.0
    ridge = ERRORS

    def batches(self, n_inputs: int, generator: torch.Generator) -> Iterator[Tensor]:  # noqa: ARG002 - a contract
        """Yield the inputs, a few trials at a time."""
        yield from torch.split(self.inputs, BATCH, dim=1)


NOISES = {"intrinsic": IntrinsicNoise, "input": InputNoise}


def examples(inputs: Tensor, n_inputs: int, *, batch_first: bool) -> Examples:
    """Check unlabelled inputs, and lay them out as (T, trials, inputs).

    Parameters
    ----------
    inputs : (T, trials, n_inputs) or (T, n_inputs) Tensor
        Or (trials, T, n_inputs) where `batch_first`.
    n_inputs : int
        Numbers that the module takes at each step.
    batch_first : bool
        Whether trials come before time.

    Raises
    ------
    InvalidOption
        Where they are no such tensor, or not real, dense, finite and of one step at least.
    """
    if not isinstance(inputs, Tensor) or inputs.ndim not in (2, 3) or inputs.shape[-1] != n_inputs:
        came = tuple(inputs.shape) if isinstance(inputs, Tensor) else type(inputs).__name__
        layout = "trials, T" if batch_first else "T, trials"
        raise InvalidOption(f"inputs must be a tensor ({layout}, {n_inputs}), as the module takes them; got {came}")
    if inputs.is_complex() or inputs.layout != torch.strided:
        raise InvalidOption(f"inputs must be real and dense; got {inputs.dtype}, {inputs.layout}")
    if 0 in inputs.shape[:-1] or not bool(inputs.isfinite().all()):
        raise InvalidOption("inputs must hold at least one step of one trial, all numbers finite")
    if inputs.ndim == 2:
        return Examples(inputs[:, None])
    return Examples(inputs.transpose(0, 1) if batch_first else inputs)


def _batch_sizes(trials: int) -> Iterator[int]:
    for first in range(0, trials, BATCH):
        yield min(BATCH, trials - first)


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not 0 < value < math.inf:
            raise InvalidOption(f"{name} must be positive and finite; got {value!r}")


def _whole(**values: Any) -> None:
    for name, value in values.items():
        if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
            raise InvalidOption(f"{name} must be a whole number, one or more; got {value!r}")
