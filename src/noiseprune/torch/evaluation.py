"""How far a pruned module drifts from its original, without labels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from noiseprune.errors import InvalidOption
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
        Unlabelled, laid out as the module takes them.
    recurrent : Recurrent, optional
        As in `prune_`.

    Returns
    -------
    dict
        ``output_drift``: root mean square difference over the standard deviation of the original; the same by time step
        (``by_step``, (T,), each over the overall deviation) and by neuron (``by_neuron``, (neurons,), over its own).
    """
    sent = []
    for one in (module, reference):
        layers = layers_of(one, recurrent)
        weight = tensor(one, layers[0][0].weight)
        batch_first = bool(getattr(one, "batch_first", False))
        checked = examples(inputs, n_inputs(one, layers), batch_first=batch_first).inputs
        with torch.no_grad():
            sent.append(run(one, layers, checked.to(weight.device, weight.dtype))[0].double().cpu())
    after, before = sent
    if after.shape != before.shape:
        raise InvalidOption(
            f"module and reference must be the same kind of network; they send {after.shape[-1]} and {before.shape[-1]} numbers"
        )
    error = (after - before).square()
    variance = (before - before.mean(dim=(0, 1))).square().mean(dim=(0, 1))
    total = variance.mean().clamp_min(torch.finfo(torch.float64).tiny)
    return {
        "output_drift": float((error.mean() / total).sqrt()),
        "by_step": (error.mean(dim=(1, 2)) / total).sqrt().numpy(),
        "by_neuron": (error.mean(dim=(0, 1)) / variance.clamp_min(torch.finfo(torch.float64).tiny)).sqrt().numpy(),
    }
