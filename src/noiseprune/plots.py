"""Pictures of results, one function each: they take what prune, compare, sweep or run returned, draw into `ax` and return it.

The functions are those of `noiseprune.view.plots`; this is where users find them.
"""

from noiseprune.view.plots import (
    degrees,
    keep_probability,
    slowest_modes,
    spectrum,
    strengths,
    sweep_error,
    trajectories,
    weights,
    worst_direction,
)

__all__ = [
    "degrees",
    "keep_probability",
    "slowest_modes",
    "spectrum",
    "strengths",
    "sweep_error",
    "trajectories",
    "weights",
    "worst_direction",
]
