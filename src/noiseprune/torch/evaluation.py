"""How far a pruned module drifts from its original, without labels."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from noiseprune.errors import InvalidNetwork, InvalidOption
from noiseprune.torch.ensembles import examples
from noiseprune.torch.recurrent import Recurrent, layers_of, n_inputs, run, tensor


def evaluate(
    module: nn.Module, reference: nn.Module, inputs: Tensor, *, recurrent: Recurrent | None = None
) -> dict[str, Any]:
    """Compare what two modules send under the same inputs, each from rest.

    Parameters
    ----------
    module, reference : nn.Module
        The pruned network and a copy of the original (``copy.deepcopy`` before pruning).
    inputs : (T, trials, inputs) Tensor
        Unlabelled, laid out as `module` takes them; a reference with the other ``batch_first`` gets them in its own layout.
    recurrent : Recurrent, optional
        As in `prune_`.

    Returns
    -------
    dict
        ``output_drift``: root mean square difference over the standard deviation of the original; the same by time step
        (``by_step``, (T,), each over the overall deviation) and by neuron (``by_neuron``, (neurons,), over its own).
        Infinite where `module` runs away, or where the original is constant and `module` is not.

    Raises
    ------
    InvalidOption
        Where the two send different numbers of neurons, or the inputs do not fit.
    InvalidNetwork
        Where the activity of `reference` does not stay finite.
    """
    batch_first = bool(getattr(module, "batch_first", False))
    sent = []
    for one in (module, reference):
        layers = layers_of(one, recurrent)
        weight = tensor(one, layers[0][0].weight)
        checked = examples(inputs, n_inputs(one, layers), batch_first=batch_first).inputs
        with torch.no_grad():
            sent.append(run(one, layers, checked.to(weight.device, weight.dtype))[0].double().cpu())
    after, before = sent
    if after.shape != before.shape:
        raise InvalidOption(
            f"module and reference must be the same kind of network; they send {after.shape[-1]} and {before.shape[-1]} numbers"
        )
    if not bool(before.isfinite().all()):
        raise InvalidNetwork("the activity of reference does not stay finite, so that nothing can be compared with it")
    # a power of two, so that no bit is lost: squares of what is tiny or huge would be
    unit = 2.0 ** float(torch.frexp(before.abs().max()).exponent)
    error = ((after - before) / unit).square().nan_to_num(nan=math.inf, posinf=math.inf)
    before = before / unit
    variance = (before - before.mean(dim=(0, 1))).square().mean(dim=(0, 1))
    return {
        "output_drift": float(_over(error.mean(), variance.mean())),
        "by_step": _over(error.mean(dim=(1, 2)), variance.mean()).numpy(),
        "by_neuron": _over(error.mean(dim=(0, 1)), variance).numpy(),
    }


def _over(error: Tensor, variance: Tensor) -> Tensor:
    """Root of a ratio: 0 where there is no error, infinite where something constant is missed."""
    return torch.where(error == 0, 0.0, error / variance).sqrt()
