"""Second moments of what weights read, summed while the network runs; no history is kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from noiseprune.errors import InvalidNetwork
from noiseprune.torch.blocks import Block, Floats, as_array
from noiseprune.torch.ensembles import Ensemble
from noiseprune.torch.recurrent import Layers, Observer, n_inputs, run, tensor


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

    def moments(self) -> Moments:
        mean = as_array(self.first) / self.count
        return Moments(mean, as_array(self.second) / self.count - np.outer(mean, mean), self.count)


def measure(
    module: nn.Module, layers: Layers, blocks: list[Block], ensemble: Ensemble, generator: torch.Generator
) -> dict[tuple[str, str], Moments]:
    """Run a module under an ensemble and return the moments of every source that a block reads.

    Parameters
    ----------
    generator : torch.Generator
        For inputs and noise, on the CPU.

    Returns
    -------
    dict
        Moments by ``block.source``.

    Raises
    ------
    InvalidNetwork
        Where the activity does not stay finite.

    Notes
    -----
    O(T x trials x n^2), a batch of trials in memory at a time.
    """
    sums = {block.source: _Sums() for block in blocks}

    def observer(path: str) -> Observer:
        state, inputs = sums.get((path, "state")), sums.get((path, "input"))

        def observe(f: Tensor, u: Tensor) -> None:
            if state is not None:
                state.add(f)
            if inputs is not None:
                inputs.add(u)

        return observe

    observers = {path: observer(path) for path, _ in sums}
    like = tensor(module, blocks[0].weight)
    with torch.no_grad():
        for inputs in ensemble.batches(n_inputs(module, layers), generator):
            run(
                module,
                layers,
                inputs.to(like.device, like.dtype),
                noise_std=ensemble.noise_std,
                generator=generator,
                observers=observers,
            )
    moments = {source: total.moments() for source, total in sums.items()}
    for (path, _), found in moments.items():
        if not np.all(np.isfinite(found.covariance)):
            raise InvalidNetwork(
                f"the activity that {path} reads does not stay finite: the network is unstable, or the inputs are not finite"
            )
    return moments
