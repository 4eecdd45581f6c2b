"""`prune_`: measure, weigh, decide, strengthen, write; each step is a function of its own module."""

from __future__ import annotations

import time
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from noiseprune import rules
from noiseprune.errors import InvalidOption, check_choice
from noiseprune.machine.randomness import Rng, seed_from
from noiseprune.rules import Rule, make_rule
from noiseprune.torch.block_pruning import STRENGTHENINGS, BlockPruning, Change, Strengthen, densities_of, masks_of
from noiseprune.torch.blocks import Block, Bools, Floats, blocks_of
from noiseprune.torch.ensembles import NOISES, Ensemble, IntrinsicNoise, examples
from noiseprune.torch.linearisation import spectral_abscissa, stationary_moments
from noiseprune.torch.masking import hook
from noiseprune.torch.moments import Moments, measure
from noiseprune.torch.recurrent import Layers, Recurrent, layers_of, n_inputs, tensor
from noiseprune.torch.result import PrunedModule
from noiseprune.torch.selection import Draw, Per, choose
from noiseprune.torch.sharing import refuse_shared
from noiseprune.version import __version__

Form = Literal["baked", "hook"]
Noise = Literal["intrinsic", "input"] | Ensemble


@torch.inference_mode(False)
def prune_(
    module: nn.Module,
    density: float,
    *,
    noise: Noise | None = None,
    inputs: Tensor | None = None,
    rule: str | Rule = "noise",
    draw: Draw = "topk",
    strengthen: Strengthen = "regressed",
    per: Per = "block",
    recurrent: Recurrent | None = None,
    form: Form = "baked",
    include_input: bool = False,
    ridge: float | None = None,
    cap: float | None = None,
    rng: Rng = 0,
) -> PrunedModule:
    """Prune the recurrent weights of a trained network in place, without labels.

    Parameters
    ----------
    module : nn.Module
        An RNN, GRU or LSTM of torch or one of their cells; with `recurrent`, any module.
    density : float
        Kept share of the weights, in (0, 1], exact in every block. A block is one gate of one layer and direction.
        Self-connections, the diagonal of a recurrent matrix, are kept as they are and not counted.
    noise : "intrinsic", "input", `IntrinsicNoise` or `InputNoise`
        What drives the network: private noise on each neuron, or coloured noise through its inputs.
    inputs : (T, trials, inputs) Tensor
        Or unlabelled examples, laid out as the module takes them. Exactly one of `noise` and `inputs`.
    rule : "noise", "magnitude", "weight", "uniform", "activity" or Rule
        What a weight's importance is; `noiseprune.torch.selection.importance`.
    draw : "topk", "independent" or "fixed"
        The most important, or a draw with p = min(1, K r).
    strengthen : "regressed", "staged", "reciprocal" or "none"
        Ridge least squares on what is kept, bias included; the same after an exact choice that knows the refit ("staged",
        which takes no `rule`); 1/p; or weights as they are.
    per : "block", "row" or "global"
        Within what importances are compared. Only "global" lets the density differ between blocks.
    recurrent : Recurrent, optional
        How a module that is not torch's own steps, such as ``Leaky("W_rec", "W_in", "b", alpha=0.1)``.
    form : "baked" or "hook"
        Zeros in the parameters; or torch's own ``weight_orig`` and ``weight_mask``, which fine-tuning keeps at zero but
        deepcopy, TorchScript and a fresh module's ``load_state_dict`` do not take.
    include_input : bool
        Whether input-to-hidden matrices are pruned as well.
    ridge : float, optional
        In units of the mean variance of what the weights read; the ensemble's own unless given.
    cap : float, optional
        For "reciprocal": the quantile at which factors 1/p are cut down.
    rng : int or Generator
        For noise and draws. Torch's global generator is not touched.

    Returns
    -------
    PrunedModule
        A mapping, with `to_dict` for strict JSON. Its keys are ``density``, None where there is nothing to prune;
        ``densities`` and ``masks`` by parameter; ``drive_error`` by block, (neurons,), the root mean square error
        of the drive on the ensemble over its standard deviation; ``ensemble`` and ``selection``, what chose;
        ``spectral_abscissa`` before and after, per step, of the linearisation in silence, None where it is not
        found; ``ridge``; ``samples``; ``seconds``; ``seed``; ``version``.

    Raises
    ------
    InvalidOption
        Where options make no sense, alone or together, or where something to be changed is tied to something else.
    InvalidNetwork
        Where the module is not understood, or cannot be written to.

    Notes
    -----
    Modules in half precision are measured and refitted in single or double and written back as they were. Dropout is left
    out. An error leaves the module as it was.

    Examples
    --------
    >>> gru = torch.nn.GRU(3, 20)
    >>> info = prune_(gru, density=0.2, noise="input", strengthen="staged", rng=1)
    >>> int(torch.count_nonzero(gru.weight_hh_l0)), 3 * (76 + 20)  # three gates, 20 of each on the diagonal
    (288, 288)
    """
    began = time.perf_counter()
    the_rule = make_rule(rule)
    _check(density, the_rule, draw, strengthen, per, form, ridge, cap)
    layers = layers_of(module, recurrent)
    blocks = blocks_of(module, layers, include_input=include_input)
    _refuse_shared(module, layers, blocks, strengthen)
    ensemble = _ensemble(module, layers, noise, inputs)
    ridge = ensemble.ridge if ridge is None else ridge
    seed = seed_from(rng)
    for_noise, for_draw = np.random.SeedSequence(seed).spawn(2)
    generator = torch.Generator().manual_seed(int(for_noise.generate_state(1, np.uint64)[0] >> 1))
    abscissa = spectral_abscissa(module, layers)

    moments = _moments(module, layers, blocks, ensemble, generator)
    prunings = [BlockPruning(module, block, moments[block.source], density, ridge) for block in blocks]
    scores = [pruning.scores(the_rule, strengthen, density) for pruning in prunings]
    chosen = choose(
        scores,
        [pruning.offered for pruning in prunings],
        [pruning.target for pruning in prunings],
        per=per,
        draw=draw,
        certain=the_rule.ranks,
        rng=np.random.default_rng(for_draw),
    )
    changes = _changes(module, prunings, chosen, strengthen, cap)
    for pruning, change in zip(prunings, changes, strict=True):
        pruning.write(module, change)
    masks = masks_of(module, prunings, [kept for kept, _ in chosen])
    if form == "hook":
        hook(module, masks)
    found = {
        **densities_of(prunings, [kept for kept, _ in chosen]),
        "masks": masks,
        "drive_error": {
            pruning.block.name: change.drive_error for pruning, change in zip(prunings, changes, strict=True)
        },
        "ensemble": type(ensemble).__name__,
        "selection": "exact prices of doing without a weight" if strengthen == "staged" else f"{the_rule.name}, {draw}",
        "spectral_abscissa": {"before": abscissa, "after": spectral_abscissa(module, layers)},
        "ridge": ridge,
        "samples": max(found.count for found in moments.values()),
        "seconds": time.perf_counter() - began,
        "seed": seed,
        "version": __version__,
    }
    return PrunedModule(found)


def _check(
    density: float,
    rule: Rule,
    draw: Draw,
    strengthen: Strengthen,
    per: Per,
    form: Form,
    ridge: float | None,
    cap: float | None,
) -> None:
    if isinstance(density, bool) or not isinstance(density, int | float | np.number) or not 0 < density <= 1:
        raise InvalidOption(f"density, the kept share, must be a number above 0 and at most 1; got {density!r}")
    check_choice("draw", draw, ("topk", "independent", "fixed"))
    check_choice("strengthen", strengthen, STRENGTHENINGS)
    check_choice("per", per, ("row", "block", "global"))
    check_choice("form", form, ("baked", "hook"))
    if strengthen == "staged" and (rule != rules.Noise() or draw != "topk"):
        raise InvalidOption(
            f"strengthen='staged' chooses by itself what to keep, so rule={rule.name!r} and draw={draw!r} would say it twice: "
            "leave them out, or take strengthen='regressed'"
        )
    if rule.ranks and draw != "topk":
        raise InvalidOption(
            f"rule={rule.name!r} keeps the largest, so draw={draw!r} has nothing to draw: take rule='weight'"
        )
    if ridge is not None and not (isinstance(ridge, int | float | np.number) and 0 < ridge < np.inf):
        raise InvalidOption(f"ridge must be positive and finite; got {ridge!r}")
    if cap is not None and (strengthen != "reciprocal" or not 0 <= cap <= 1):
        raise InvalidOption(f"cap is a quantile between 0 and 1, of factors 1/p: strengthen='reciprocal'; got {cap!r}")


def _refuse_shared(module: nn.Module, layers: Layers, blocks: list[Block], strengthen: Strengthen) -> None:
    biases = [block.bias for block in blocks if block.bias is not None and STRENGTHENINGS[strengthen].corrects_bias]
    read = [path for directions in layers for layer in directions for path in layer.paths]
    refuse_shared(module, dict.fromkeys([block.weight for block in blocks] + biases), read)


def _changes(
    module: nn.Module,
    prunings: list[BlockPruning],
    chosen: list[tuple[Bools, Floats]],
    strengthen: Strengthen,
    cap: float | None,
) -> list[Change]:
    """Fit all blocks before any is written, so that an error leaves the module as it was."""
    try:
        changes = [
            pruning.change(strengthen, kept, p, cap) for pruning, (kept, p) in zip(prunings, chosen, strict=True)
        ]
    except np.linalg.LinAlgError:
        raise InvalidOption("the refit is singular: give a larger ridge") from None
    for pruning, change in zip(prunings, changes, strict=True):
        dtype = tensor(module, pruning.block.weight).dtype
        if not np.abs(change.weights).max(initial=0.0) <= torch.finfo(dtype).max:
            raise InvalidOption(
                f"the new weights of {pruning.block.name} do not fit into {dtype}: give a larger ridge, or prune module.float()"
            )
    return changes


def _ensemble(module: nn.Module, layers: Layers, noise: Noise | None, inputs: Tensor | None) -> Ensemble:
    if (noise is None) == (inputs is None):
        raise InvalidOption(
            "give exactly one of noise ('intrinsic', 'input', IntrinsicNoise(...), InputNoise(...)) and inputs (unlabelled "
            "examples): they say which activity pruning should preserve"
        )
    if inputs is not None:
        return examples(inputs, n_inputs(module, layers), batch_first=bool(getattr(module, "batch_first", False)))
    if isinstance(noise, str):
        return NOISES[check_choice("noise", noise, NOISES)]()
    if noise is None or not hasattr(noise, "batches"):
        raise InvalidOption(
            f"noise must be 'intrinsic', 'input', IntrinsicNoise(...) or InputNoise(...); got {noise!r}"
        )
    return noise


def _moments(
    module: nn.Module, layers: Layers, blocks: list[Block], ensemble: Ensemble, generator: torch.Generator
) -> dict[tuple[str, str], Moments]:
    first = layers[0][0]
    if isinstance(ensemble, IntrinsicNoise):
        if any(block.source == (first.weight, "input") for block in blocks):
            raise InvalidOption(
                f"noise='intrinsic' leaves the inputs silent, so {first.input} cannot be judged: take noise='input' or inputs="
            )
        if ensemble.covariance == "lyapunov":
            return stationary_moments(module, layers, ensemble.std)
    return measure(module, layers, blocks, ensemble, generator)
