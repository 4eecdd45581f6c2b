"""What led to a result: versions, seed, options, what every "auto" chose and why, digest of the input."""

from __future__ import annotations

from typing import Any

import numpy as np

from noiseprune.machine.versions import versions
from noiseprune.network import Network
from noiseprune.network.digest import describe_input
from noiseprune.probes import Measurement
from noiseprune.pruning.plan import Plan
from noiseprune.rules import leak as balancing
from noiseprune.rules.budget import KeepProbability


def provenance(
    network: Network,
    seed: int,
    options: dict[str, Any],
    plan: Plan,
    variance: Measurement | None,
    probability: KeepProbability,
    pruned: Network,
    report: dict[str, Any],
) -> dict[str, Any]:
    """Collect the provenance of one prune, fit for strict JSON.

    Parameters
    ----------
    network, pruned : Network
        Before and after.
    seed : int
        Of the draw and of the probe.
    options : dict
        As they were given.
    plan : Plan
        What was decided.
    variance : Measurement or None
        What was measured; None where the rule and the strengthening read nothing.
    probability : KeepProbability
        Of every link.
    report : dict
        What the strengthening says of its work.
    """
    return {
        "versions": versions(),
        "seed": seed,
        "options": options,
        "chosen": {
            "probe": variance.source if variance else "none: the rule reads no covariance",
            "probe_report": variance.report if variance else {},
            "rule": plan.rule.name,
            "strengthen": plan.strengthening.name,
            "strengthening": report,
            "unbiased": plan.strengthening.unbiased and not plan.rule.ranks,
            "leak": plan.leak,
            "why": plan.reasons,
            "K": probability.constant,
            "expected_synapses": probability.expected_synapses,
            "certain_synapses": probability.n_certain,
        },
        "theorem": _theorem(network, pruned, plan, probability),
        "input": describe_input(network),
    }


def _theorem(network: Network, pruned: Network, plan: Plan, probability: KeepProbability) -> dict[str, Any]:
    """Whether the paper's theorem covers this result, and for which epsilon; above 1 it says nothing."""
    gaps = list(plan.theorem_gaps)
    if not gaps and (floored := balancing.n_floored(network, pruned)):
        gaps.append(f"{floored} leaks are held at their floor")
    epsilon = None
    if not gaps and probability.constant:
        epsilon = float(np.sqrt(8 * np.log(network.n_neurons) / probability.constant) / network.noise_std[0])
        if epsilon > 1:
            gaps.append(f"K is that of epsilon = {epsilon:.3g}, above 1")
    return {"holds": not gaps, "gaps": gaps, "epsilon": epsilon}
