"""What is guaranteed of a result, in words; all else is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from noiseprune.pruning.pipeline import Pruned


def guarantees(result: Pruned) -> list[str]:
    """Say, a sentence each, what the theorem covers and what holds whatever the draw was."""
    theorem, chosen = result.provenance["theorem"], result.provenance["chosen"]
    if theorem["holds"] and theorem["epsilon"] is not None:
        first = (
            f"With high probability every direction x keeps x'(-A)x within a factor 1 ± {theorem['epsilon']:.3g}, also "
            "for every set of active rectified-linear neurons (the theorem of Moore and Chaudhuri, 2020)."
        )
    else:
        why = "; ".join(theorem["gaps"]) or "there is no constant K from which its epsilon follows"
        first = f"The theorem of Moore and Chaudhuri (2020) does not cover this result: {why}."
    return [first, *_whatever_the_draw(result, chosen["strengthen"], chosen["leak"])]


def _whatever_the_draw(result: Pruned, strengthen: str, leak: str) -> list[str]:
    original = result.original
    said = ["No synapse changes its sign, and none is new."]
    if strengthen == "reciprocal" and result.rule != "magnitude":
        said.append("Every weight is right on average over draws: E[W'] = W.")
    if leak == "matched" and original.dominant:
        strictly = " and stable" if original.has_excess.all() else ""
        said.append(f"The network stays diagonally dominant{strictly}, whatever was drawn (Gershgorin).")
    elif strengthen == "regressed" and result.comparison is not None and result.comparison.stable_after:
        said.append("The regression returns a stable network or an error; this one was checked to be stable.")
    else:
        said.append("Stability is not guaranteed here: it was measured, or it is not known.")
    return said
