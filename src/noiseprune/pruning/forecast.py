"""What a prune will take, in memory and time, before it starts."""

from __future__ import annotations

from typing import Any

from noiseprune.machine.memory import available_bytes
from noiseprune.measure import compare as comparison
from noiseprune.network import Network
from noiseprune.pruning.plan import Plan
from noiseprune.rules.budget import Budget

# Bytes a link beside the probe: importance, keep probability, random numbers, counts, and the pruned network.
BYTES_A_LINK = 48.0


def estimate(network: Network, plan: Plan, budget: Budget, *, compare: bool) -> dict[str, Any]:
    """Estimate memory and time of a prune; right within a factor of two or three on most networks.

    Parameters
    ----------
    network : Network
        What would be pruned; it is in memory already.
    plan : Plan
        From `noiseprune.pruning.plan.make_plan`.
    budget : Budget
        How much would be kept; where that is not known beforehand, all.
    compare : bool
        Whether what was preserved would be measured.

    Returns
    -------
    dict
        `memory` and `available_memory` in bytes, beside the network; `seconds` of measuring v, of fitting the weights and
        of comparing.
    """
    probe = plan.probe.cost(network) if plan.needs else None
    density = budget.density if budget.synapses is None else budget.synapses / max(network.n_synapses, 1)
    kept = 1.0 if density is None else min(density, 1.0)
    fitting = plan.strengthening.cost(network, kept, plan.probe, probe)
    comparing = comparison.cost(network) if compare else None
    memory = max(
        BYTES_A_LINK * network.n_links + max(probe.memory if probe else 0.0, fitting.memory),
        comparing.memory if comparing else 0.0,
    )
    return {
        "probe": type(plan.probe).__name__.lower() if probe else None,
        "why": plan.reasons,
        "memory": memory,
        "available_memory": available_bytes(),
        "seconds": {
            "probe": probe.seconds if probe else 0.0,
            "strengthening": fitting.seconds,
            "comparison": comparing.seconds if comparing else 0.0,
        },
    }
