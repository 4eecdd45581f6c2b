"""Ways to measure the difference variance of every synapse; `base` says which one when."""

from noiseprune.probes.base import DifferenceVariance, Probe
from noiseprune.probes.exact import Exact

__all__ = ["DifferenceVariance", "Exact", "Probe"]
