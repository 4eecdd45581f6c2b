"""Which weights stay: importance by any rule, then exactly so many of the largest, or a draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from noiseprune.errors import InvalidOption
from noiseprune.rules import LocalForm, Rule
from noiseprune.rules.budget import water_filling
from noiseprune.rules.draw import DRAWS
from noiseprune.torch.blocks import Block, Bools, Floats

Draw = Literal["topk", "independent", "fixed"]
Per = Literal["row", "block", "global"]


def importance(rule: Rule, block: Block, weights: Floats, covariance: Floats) -> Floats:
    """Weigh every entry of a block, (post, pre).

    Parameters
    ----------
    rule : Rule
        One with a local form.
    block : Block
        What is weighed.
    weights : (post, pre) array
        Of the block.
    covariance : (pre, pre) array
        Of what the weights read; for the noise rule, |W_ij| Var(f_i - s_ij f_j).

    Raises
    ------
    InvalidOption
        Where the rule compares the two neurons of a synapse, and those of the block are of different populations.
    """
    local = local_form(rule)
    if not local.needs:
        return local.importance(weights)
    if not block.square:
        raise InvalidOption(
            f"rule='{rule.name}' compares the activity of the two neurons of a synapse, and those of {block.name} belong to "
            "different populations: take strengthen='staged', or rule='magnitude' or 'weight'"
        )
    return square_importance(rule, weights, covariance)


def square_importance(rule: Rule, weights: Floats, covariance: Floats) -> Floats:
    """Weigh every entry of a square block by a rule with a local form, (n, n).

    Parameters
    ----------
    rule : Rule
        One with a local form.
    weights : (n, n) array
        Of the block, rows post.
    covariance : (n, n) array
        Of what the weights read.
    """
    variance = covariance.diagonal()
    both = variance[:, None] + variance
    return local_form(rule).importance(weights, both - 2 * np.sign(weights) * covariance, both)


def local_form(rule: Rule) -> LocalForm:
    """Return how a rule weighs a synapse by its own weight and two neurons, which is all that a module can tell.

    Raises
    ------
    InvalidOption
        Where it has no such form.
    """
    if rule.local is None:
        raise InvalidOption(
            f"the rule {rule.name} has no local form, and a module has nothing else to go by: take strengthen='staged', or a "
            "rule with one, such as 'noise' or 'magnitude'"
        )
    return rule.local


def choose(
    scores: Sequence[Floats],
    offered: Sequence[Bools],
    targets: Sequence[int],
    *,
    per: Per,
    draw: Draw,
    certain: bool,
    rng: np.random.Generator,
) -> list[tuple[Bools, Floats]]:
    """Keep exactly the target (on average, where the draw is independent) of what is offered.

    Parameters
    ----------
    scores : list of (post, pre) arrays
        Importance, a block each.
    offered : list of (post, pre) arrays of bool
        What may be kept.
    targets : list of int
        How many to keep in each block.
    per : "row", "block" or "global"
        Within what the sizes are compared: each neuron's inputs (targets as equal as can be), a block, or all blocks.
    draw : "topk", "independent" or "fixed"
        The largest; or draws with p = min(1, K r), as `noiseprune.prune` has them.
    certain : bool
        Whether a kept weight counts as kept for certain, p = 1, whatever its importance.
    rng : Generator
        For the draws.

    Returns
    -------
    list of (kept, p)
        (post, pre) arrays each: what stays, and keep probabilities.
    """
    if per == "global":
        places = [(k, np.flatnonzero(allowed)) for k, allowed in enumerate(offered)]
        flat = np.concatenate([scores[k].ravel()[place] for k, place in places])
        kept, p = _pick(flat, sum(targets), draw, certain, rng)
        cuts = np.cumsum([place.size for _, place in places])[:-1]
        parts = zip(places, np.split(kept, cuts), np.split(p, cuts), strict=True)
        return [_spread(offered[k].shape, place, some, chance) for (k, place), some, chance in parts]
    return [
        _choose_in_block(score, allowed, target, per, draw, certain, rng)
        for score, allowed, target in zip(scores, offered, targets, strict=True)
    ]


def _choose_in_block(
    score: Floats, offered: Bools, target: int, per: Per, draw: Draw, certain: bool, rng: np.random.Generator
) -> tuple[Bools, Floats]:
    if per == "block":
        place = np.flatnonzero(offered)
        return _spread(offered.shape, place, *_pick(score.ravel()[place], target, draw, certain, rng))
    kept, p = np.zeros(offered.shape, dtype=np.bool_), np.zeros(offered.shape)
    for row, share in enumerate(row_targets(offered.sum(axis=1), target)):
        place = np.flatnonzero(offered[row])
        kept[row, place], p[row, place] = _pick(score[row, place], int(share), draw, certain, rng)
    return kept, p


def row_targets(available: np.ndarray, target: int) -> np.ndarray:
    """Share a target among rows as equally as what is available allows, the first rows taking what is left over.

    >>> row_targets(np.array([4, 1, 4, 4]), 9)
    array([3, 1, 3, 2])
    """
    # the level at which the rows, filled up to it, hold no more than the target
    levels = np.arange(available.max(initial=0) + 1)
    level = int(levels[np.minimum(available, levels[:, None]).sum(axis=1) <= target][-1])
    shares = np.minimum(available, level)
    more = np.flatnonzero(available > level)[: target - int(shares.sum())]
    shares[more] += 1
    return shares


def _pick(score: Floats, target: int, draw: Draw, certain: bool, rng: np.random.Generator) -> tuple[Bools, Floats]:
    """Choose among scores (m,); return which stay, and keep probabilities."""
    p = np.minimum(1.0, water_filling(score, target) * score)
    if draw != "topk":
        return DRAWS[draw].function(p, rng), p
    kept = np.zeros(score.size, dtype=np.bool_)
    kept[np.argsort(-score, kind="stable")[:target]] = True
    return kept, kept.astype(np.float64) if certain else p


def _spread(shape: tuple[int, ...], place: np.ndarray, kept: Bools, p: Floats) -> tuple[Bools, Floats]:
    all_kept, all_p = np.zeros(shape, dtype=np.bool_), np.zeros(shape)
    all_kept.flat[place], all_p.flat[place] = kept, p
    return all_kept, all_p
