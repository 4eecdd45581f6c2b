"""What is guaranteed of a result, in words; all else is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from noiseprune.pruning.pipeline import Pruned


def guarantees(result: Pruned) -> list[str]:
    """Say, a sentence each, what the theorem covers and what holds whatever the draw was."""
    theorem = result.provenance["theorem"]
    if theorem["holds"] and theorem["epsilon"] is not None:
        first = (
            f"With high probability every direction x keeps x'(-A)x within a factor 1 ± {theorem['epsilon']:.3g}, also "
            "for every set of active rectified-linear neurons (the theorem of Moore and Chaudhuri, 2020)."
        )
    else:
        why = "; ".join(theorem["gaps"]) or "there is no constant K from which its epsilon follows"
        first = f"The theorem of Moore and Chaudhuri (2020) does not cover this result: {why}."
    return [first, *_whatever_the_draw(result)]


def _whatever_the_draw(result: Pruned) -> list[str]:
    original, chosen = result.original, result.provenance["chosen"]
    strengthen, leak = chosen["strengthen"], chosen["leak"]
    flips = result.comparison.sign_flips if result.comparison is not None else 0
    said = ["No synapse is new." if flips else "No synapse changes its sign, and none is new."]
    if chosen.get("unbiased", strengthen == "reciprocal" and result.rule != "magnitude"):  # not in older files
        said.append("Every weight is right on average over draws: E[W'] = W.")
    if leak == "matched" and original.dominant:
        strictly = " and stable" if original.has_excess.all() else ""
        said.append(f"The network stays diagonally dominant{strictly}, whatever was drawn (Gershgorin).")
    elif strengthen == "regressed" and result.comparison is not None and result.comparison.stable_after:
        said.append("The regression returns a stable network or an error; this one was checked to be stable.")
    else:
        said.append("Stability is not guaranteed here: it was measured, or it is not known.")
    return said
