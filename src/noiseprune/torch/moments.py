"""Second moments of what weights read, summed while the network runs; no history is kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from noiseprune.errors import InvalidNetwork
from noiseprune.torch.blocks import Block, Floats, as_array
from noiseprune.torch.ensembles import SHARE, Ensemble
from noiseprune.torch.recurrent import Layers, Observer, n_inputs, precision, run, tensor

STILL = 1e-12  # variance of a silent run, over that of the fluctuations, below which it stands still up to rounding


@dataclass(frozen=True)
class Moments:
    """First and second moments of n numbers.

    Attributes
    ----------
    mean : (n,) array
        Mean.
    covariance : (n, n) array
        Covariance.
    count : int
        Samples, not independent ones.
    """

    mean: Floats
    covariance: Floats
    count: int

    @property
    def second(self) -> Floats:
        """Second moments about zero, (n, n)."""
        return self.covariance + np.outer(self.mean, self.mean)


class _Sums:
    """Sums of x and x x^T in double precision."""

    def __init__(self) -> None:
        self.count, self.first, self.second = 0, torch.zeros(()), torch.zeros(())

    def add(self, x: Tensor) -> None:
        x = x.double()
        if self.count == 0:
            self.first, self.second = x.new_zeros(x.shape[1]), x.new_zeros(x.shape[1], x.shape[1])
        self.count += len(x)
        self.first += x.sum(dim=0)
        self.second.addmm_(x.T, x)

    def add_fluctuations(self, x: Tensor) -> None:
        """Add trials of the same step, each less their mean."""
        self.add(x - x.mean(dim=0))

    def moments(self) -> Moments:
        mean = as_array(self.first) / self.count
        return Moments(mean, as_array(self.second) / self.count - np.outer(mean, mean), self.count)


Sums = dict[tuple[str, str], _Sums]


def measure(
    module: nn.Module, layers: Layers, blocks: list[Block], ensemble: Ensemble, generator: torch.Generator
) -> dict[tuple[str, str], Moments]:
    """Run a module under an ensemble and return the moments of every source that a block reads.

    Parameters
    ----------
    module : nn.Module
        What runs.
    layers : Layers
        From `layers_of`.
    blocks : list of Block
        Those whose sources are measured.
    ensemble : Ensemble
        Where inputs and noise come from.
    generator : torch.Generator
        For inputs and noise, on the CPU.

    Returns
    -------
    dict
        Moments by ``block.source``. Under noise on the state, those of the run without it plus a share of the fluctuations.

    Raises
    ------
    InvalidNetwork
        Where the activity does not stay finite.

    Notes
    -----
    O(T x trials x n^2), a batch of trials in memory at a time.
    """
    device, dtype = tensor(module, blocks[0].weight).device, precision(module, layers)
    quiet: Sums = {block.source: _Sums() for block in blocks}
    noisy: Sums = {block.source: _Sums() for block in blocks}
    with torch.no_grad():
        for inputs in ensemble.batches(n_inputs(module, layers), generator):
            inputs = inputs.to(device, dtype)
            if not ensemble.noise_std:
                run(module, layers, inputs, observers=_observers(quiet, _Sums.add))
                continue
            if not any(sums.count for sums in quiet.values()):
                run(module, layers, inputs[:, :1], observers=_observers(quiet, _Sums.add))
            watching = _observers(noisy, _Sums.add_fluctuations)
            run(module, layers, inputs, noise_std=ensemble.noise_std, generator=generator, observers=watching)
    moments = {}
    for source, sums in quiet.items():
        found = sums.moments()
        if noisy[source].count:
            found = _with_fluctuations(found, noisy[source].moments())
        if not np.all(np.isfinite(found.covariance)):
            raise InvalidNetwork(
                f"the activity that {source[0]} reads does not stay finite: the network is unstable, or runs too long"
            )
        moments[source] = found
    return moments


def _with_fluctuations(silent: Moments, fluctuations: Moments) -> Moments:
    """Add so much of the fluctuations that their variance is a `SHARE` of the silent run's; all where it stands still."""
    total, added = np.trace(silent.covariance), np.trace(fluctuations.covariance)
    factor = SHARE * total / added if total > STILL * added > 0 else 1.0
    return Moments(silent.mean, silent.covariance + factor * fluctuations.covariance, fluctuations.count)


def _observers(sums: Sums, add: Callable[[_Sums, Tensor], None]) -> dict[str, Observer]:
    """Make the functions that see what each layer reads and add it to its sums."""

    def observer(path: str) -> Observer:
        watched = [(k, sums[path, kind]) for k, kind in enumerate(("state", "input")) if (path, kind) in sums]

        def observe(*read: Tensor) -> None:
            for k, total in watched:
                add(total, read[k])

        return observe

    return {path: observer(path) for path, _ in sums}
