"""One block on its way: its weights, what is offered, and how the moments of what it reads weigh and refit them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from noiseprune.errors import InvalidOption
from noiseprune.rules import Rule
from noiseprune.torch import refit
from noiseprune.torch.blocks import Block, Bools, Floats
from noiseprune.torch.moments import Moments
from noiseprune.torch.selection import importance

Strengthen = Literal["regressed", "staged", "reciprocal", "none"]


class Change(NamedTuple):
    """New weights of a block, (post, pre), what is added to its bias, and the error of each neuron's drive, (post,)."""

    weights: Floats
    bias: Floats | None
    drive_error: Floats


class BlockPruning:
    """One block to prune: its weights, what is offered, how many to keep, and the moments of what it reads."""

    def __init__(self, module: nn.Module, block: Block, moments: Moments, density: float, ridge: float) -> None:
        self.block, self.moments = block, moments
        self.weights = block.read(module)
        self.offered = block.offered(self.weights)
        self.n_positions = block.n_positions(self.weights)
        self.target = round(density * self.n_positions)
        if self.target > np.count_nonzero(self.offered):
            raise InvalidOption(
                f"density={density:g} asks for {self.target} weights of {block.name}, and only "
                f"{np.count_nonzero(self.offered)} are not zero: it is pruned already, give a lower density"
            )
        # A bias takes up what the mean of the inputs changes; without one the mean is a second moment like others.
        M = moments.second if block.bias is None else moments.covariance
        self.scale = float(np.mean(M.diagonal())) or 1.0
        self.H = M + ridge * self.scale * np.eye(len(M))

    @property
    def others(self) -> Floats:
        """The weights without self-connections, (post, pre)."""
        return self.weights - np.diag(self.weights.diagonal()) if self.block.square else self.weights

    def scores(self, rule: Rule, strengthen: Strengthen, density: float) -> Floats:
        """Weigh every weight, (post, pre).

        Parameters
        ----------
        rule : Rule
            What weighs it.
        strengthen : str
            "staged" weighs by the error of doing without it instead.
        density : float
            Share that will be kept.
        """
        if strengthen == "staged":
            return refit.saliencies(self.others, self.offered, self.H, down_to=density * refit.DOWN_TO)
        return importance(rule, self.block, self.weights, self.moments.covariance)

    def change(self, strengthen: Strengthen, kept: Bools, p: Floats, cap: float | None) -> Change:
        """Fit what stays.

        Parameters
        ----------
        strengthen : str
            Key of `STRENGTHENINGS`.
        kept : (post, pre) array of bool
            What stays.
        p : (post, pre) array
            Keep probabilities.
        cap : float or None
            As in `refit.reciprocal`.

        Returns
        -------
        Change
            New weights, and what is added to the bias.
        """
        others, way = self.others, STRENGTHENINGS[strengthen]
        new = way.fit(self, kept, p, cap)
        lost = others - new
        bias = lost @ self.moments.mean if way.corrects_bias else None
        return Change(new + self.weights - others, bias, self._drive_error(lost))

    def write(self, module: nn.Module, change: Change) -> None:
        """Put the new weights and bias into the module."""
        if change.bias is not None:
            self.block.correct_bias(module, change.bias)
        self.block.write(module, change.weights)

    def _drive_error(self, lost: Floats) -> Floats:
        """Root mean square error of each neuron's drive on the ensemble, over the drive's standard deviation; (post,)."""
        M = self.moments.covariance
        error = np.einsum("ij,jk,ik->i", lost, M, lost, optimize=True)
        drive = np.einsum("ij,jk,ik->i", self.weights, M, self.weights, optimize=True)
        return np.sqrt(np.maximum(error, 0) / np.where(drive > 0, drive, 1.0))


class Way(NamedTuple):
    """A way to make new weights, (post, pre), from a pruning, what is kept, p and a cap; and whether the bias follows."""

    fit: Callable[[BlockPruning, Bools, Floats, float | None], Floats]
    corrects_bias: bool


def _reciprocal(pruning: BlockPruning, kept: Bools, p: Floats, cap: float | None) -> Floats:
    if not p[kept].all():
        raise InvalidOption(
            f"of {pruning.block.name} weights are kept whose importance is zero, so that there is no 1/p: the activity that "
            "they read stands still. Give inputs or noise that move it, or take another strengthen"
        )
    return refit.reciprocal(pruning.others, kept, p, cap)


_regressed = Way(lambda pruning, kept, p, cap: refit.regress(pruning.others, kept, pruning.H), True)  # noqa: ARG005
STRENGTHENINGS: dict[Strengthen, Way] = {
    "regressed": _regressed,
    "staged": _regressed,
    "reciprocal": Way(_reciprocal, False),
    "none": Way(lambda pruning, kept, p, cap: np.where(kept, pruning.others, 0.0), False),  # noqa: ARG005
}


def masks_of(module: nn.Module, prunings: list[BlockPruning], kept: list[Bools]) -> dict[str, Tensor]:
    """What stays of each parameter, self-connections included, as masks of its shape on its device.

    Parameters
    ----------
    module : nn.Module
        What is pruned.
    prunings : list of BlockPruning
        Its blocks.
    kept : list of (post, pre) arrays of bool
        What stays of each.

    Returns
    -------
    dict of Tensor
        By the path of the parameter.
    """
    masks: dict[str, Tensor] = {}
    for pruning, keeps in zip(prunings, kept, strict=True):
        block = pruning.block
        weight = module.get_parameter(block.weight)
        mask = masks.setdefault(block.weight, torch.zeros_like(weight, dtype=torch.bool))
        stays = keeps | np.eye(len(keeps), dtype=np.bool_) if block.square else keeps
        mask[block.rows] = torch.as_tensor(stays, device=weight.device)
    return masks


def densities_of(prunings: list[BlockPruning], kept: list[Bools]) -> dict[str, Any]:
    """Kept shares: of all that was pruned, and of each parameter; None where there was nothing to prune."""
    counts: dict[str, np.ndarray] = {}
    for pruning, keeps in zip(prunings, kept, strict=True):
        both = np.array([np.count_nonzero(keeps), pruning.n_positions])
        counts[pruning.block.weight] = counts.get(pruning.block.weight, np.zeros(2)) + both
    total = np.sum(list(counts.values()), axis=0)
    return {
        "density": _share(total),
        "densities": {path: _share(count) for path, count in counts.items()},
    }


def _share(counts: np.ndarray) -> float | None:
    kept, positions = counts
    return float(kept / positions) if positions else None
