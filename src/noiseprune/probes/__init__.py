"""Ways to measure the difference variance of every synapse; `base` says which one when."""

from collections.abc import Callable

from noiseprune.probes.base import DifferenceVariance, Probe
from noiseprune.probes.exact import Exact

# the one table of probes: what `probe="name"` makes
PROBES: dict[str, Callable[[], Probe]] = {"exact": Exact}

__all__ = ["PROBES", "DifferenceVariance", "Exact", "Probe"]
