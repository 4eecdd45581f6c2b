"""What a prune will take, in memory and time, before it starts."""

from __future__ import annotations

from typing import Any

from noiseprune import comparison
from noiseprune.linalg.memory import available_bytes
from noiseprune.network import Network
from noiseprune.planning import Plan

# Bytes a link beside the probe: importance, keep probability, random numbers, counts, and the pruned network.
BYTES_A_LINK = 48.0


def estimate(network: Network, plan: Plan, *, compare: bool) -> dict[str, Any]:
    """Estimate memory and time of a prune; right within a factor of two or three on most networks.

    Parameters
    ----------
    network : Network
        What would be pruned; it is in memory already.
    plan : Plan
        From `noiseprune.planning.make_plan`.
    compare : bool
        Whether what was preserved would be measured.

    Returns
    -------
    dict
        `memory` and `available_memory` in bytes, beside the network; `seconds` of measuring v and of comparing.
    """
    probe = plan.probe.cost(network) if plan.needs_variance else None
    comparing = comparison.cost(network) if compare else None
    memory = max(
        BYTES_A_LINK * network.n_links + (probe.memory if probe else 0.0), comparing.memory if comparing else 0.0
    )
    return {
        "probe": type(plan.probe).__name__.lower() if probe else None,
        "why": plan.reasons,
        "memory": memory,
        "available_memory": available_bytes(),
        "seconds": {
            "probe": probe.seconds if probe else 0.0,
            "comparison": comparing.seconds if comparing else 0.0,
        },
    }
