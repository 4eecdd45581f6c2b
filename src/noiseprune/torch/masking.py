"""Living with a pruned module: torch's own hooks, a pruning method for them, and masks that survive fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import prune
from torch.utils.hooks import RemovableHandle

from noiseprune.errors import InvalidNetwork, InvalidOption
from noiseprune.rules import Noise
from noiseprune.torch.blocks import Bools, as_array, writable
from noiseprune.torch.recurrent import full_name, tensor
from noiseprune.torch.selection import choose, square_importance
from noiseprune.torch.sharing import overlap, refuse_shared


def hook(module: nn.Module, masks: Mapping[str, Tensor]) -> None:
    """Turn parameters into ``_orig`` and ``_mask`` with torch's own hook, which multiplies them at each forward pass."""
    for path, mask in masks.items():
        owner, _, name = path.rpartition(".")
        prune.custom_from_mask(module.get_submodule(owner), name, mask)  # type: ignore[no-untyped-call]


class NoisePrune(prune.BasePruningMethod):  # type: ignore[misc, unused-ignore]
    """The noise rule for ``torch.nn.utils.prune``: ``NoisePrune.apply(module, "weight_hh_l0", density=0.2, covariance=C)``.

    Keeps the largest r_ij = |W_ij| Var(f_i - s_ij f_j) in each gate; self-connections are kept and not counted.

    Parameters
    ----------
    density : float
        Kept share, in (0, 1].
    covariance : (n, n) array_like or Tensor
        Of the activity that the weights read; the weight is a stack of n x n gates.
    """

    PRUNING_TYPE = "global"  # torch hands "unstructured" methods a flat list of what is left, whose places are lost

    def __init__(self, density: float, covariance: Tensor) -> None:
        if not 0 < density <= 1:
            raise InvalidOption(f"density, the kept share, must be above 0 and at most 1; got {density!r}")
        self.density = density
        self.covariance = as_array(torch.as_tensor(covariance))
        if not np.isfinite(self.covariance).all():
            raise InvalidOption("the covariance holds NaN or infinite numbers")

    @classmethod
    def apply(cls, module: nn.Module, name: str, *args: Any, **options: Any) -> prune.BasePruningMethod:
        """Prune a parameter of a module, by its name, with torch's own hook.

        Parameters
        ----------
        module : nn.Module
            What holds the parameter.
        name : str
            Its name there.
        args, options
            Of `NoisePrune`.

        Returns
        -------
        NoisePrune
            The hook.

        Raises
        ------
        InvalidOption
            Where another path reaches the same parameter.
        """
        if isinstance(getattr(module, name, None), nn.Parameter):
            refuse_shared(module, [name], [name])
        return super().apply(module, name, *args, **options)  # type: ignore[no-untyped-call]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """Mask `t`, a stack of gates, within what an earlier mask has left.

        Parameters
        ----------
        t : (gates x n, n) Tensor
            Rows post, columns pre.
        default_mask : Tensor
            What an earlier mask has left, of the same shape.

        Raises
        ------
        InvalidOption
            Where the covariance is not one of the n neurons that `t` reads.
        """
        n = len(self.covariance)
        if self.covariance.shape != (n, n) or t.ndim != 2 or t.shape[1] != n or t.shape[0] % n:
            raise InvalidOption(
                f"the noise rule needs the covariance of the {t.shape[-1]} neurons that a square weight reads; got a covariance "
                f"{self.covariance.shape} for a weight {tuple(t.shape)}"
            )
        gates = np.split(as_array(t * default_mask), t.shape[0] // n)
        kept = [self._keep(gate) for gate in gates]
        return torch.as_tensor(np.concatenate(kept), dtype=default_mask.dtype, device=default_mask.device)

    def _keep(self, weights: np.ndarray) -> Bools:
        own = np.eye(len(weights), dtype=np.bool_)
        offered = (weights != 0) & ~own
        target = min(round(self.density * (weights.size - len(weights))), int(np.count_nonzero(offered)))
        scores = square_importance(Noise(), weights, self.covariance)
        rng = np.random.default_rng(0)  # the largest are kept: nothing is drawn
        ((kept, _),) = choose([scores], [offered], [target], per="block", draw="topk", certain=True, rng=rng)
        return kept | (own & (weights != 0))


class MaskKeeper:
    """Keeps pruned weights at zero while the rest is trained, under momentum and weight decay too.

    Parameters
    ----------
    module : nn.Module
        Pruned, with ``form="baked"``.
    masks : dict of Tensor, optional
        ``info["masks"]`` of `prune_`, by the paths of the module that it was given. Without it what is zero in any matrix now
        is what stays zero.

    Raises
    ------
    InvalidOption
        Where masks do not fit the module, or two of them say different things about one parameter.
    InvalidNetwork
        Where a parameter cannot be written to.

    Examples
    --------
    >>> layer = nn.Linear(2, 2)
    >>> _ = nn.init.eye_(layer.weight)
    >>> optimizer = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    >>> keeper = MaskKeeper(layer)
    >>> handle = keeper.follow(optimizer)
    >>> for _ in range(3):
    ...     layer(torch.ones(1, 2)).sum().backward()
    ...     optimizer.step()
    >>> int(torch.count_nonzero(layer.weight))
    2
    """

    def __init__(self, module: nn.Module, masks: Mapping[str, Tensor] | None = None) -> None:
        if masks is None:
            masks = {name: p != 0 for name, p in module.named_parameters() if p.ndim == 2 and bool((p == 0).any())}
        self.module = module
        self.masks = {path: torch.as_tensor(mask).detach() != 0 for path, mask in masks.items()}
        _check_masks(module, self.masks)

    def apply_(self) -> None:
        """Set what is pruned to zero."""
        with torch.no_grad():
            for path, mask in self.masks.items():
                weight = tensor(self.module, path)
                weight.masked_fill_(~mask.to(weight.device), 0)

    def follow(self, optimizer: torch.optim.Optimizer) -> RemovableHandle:
        """Do so after every step of an optimizer; the handle's ``remove()`` ends it."""
        return optimizer.register_step_post_hook(lambda *_: self.apply_())


def _check_masks(module: nn.Module, masks: Mapping[str, Tensor]) -> None:
    if not _fit(module, masks):
        inside = [f"model.{name}" for name, part in module.named_modules() if name and _fit(part, masks)]
        path, mask = next((path, mask) for path, mask in masks.items() if not _fit(module, {path: mask}))
        advice = f"MaskKeeper({inside[0]}, masks)" if inside else "such as MaskKeeper(model.rnn, masks)"
        raise InvalidOption(
            f"{full_name(type(module))} has no parameter {path!r} of the shape {tuple(mask.shape)}. Masks go by the paths of the "
            f"module that prune_ was given, so give that one: {advice}"
        )
    weights = {path: writable(module, path) for path in masks}
    for (one, weight), (other, second) in combinations(weights.items(), 2):
        if overlap(weight, second) and not (weight is second and torch.equal(masks[one].cpu(), masks[other].cpu())):
            raise InvalidOption(
                f"{one} and {other} are the same numbers in memory, and their masks differ: untie them, or give one mask"
            )


def _fit(module: nn.Module, masks: Mapping[str, Tensor]) -> bool:
    """Say whether a module has all that masks are for."""
    try:
        return all(tensor(module, path).shape == mask.shape for path, mask in masks.items())
    except InvalidNetwork:
        return False
