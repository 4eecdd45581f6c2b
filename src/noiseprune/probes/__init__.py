"""Ways to measure the difference variance of every synapse; `base` says which one when."""

from collections.abc import Callable

from noiseprune.probes.base import DifferenceVariance, Measurement, Probe, Quantity, measure
from noiseprune.probes.exact import Exact
from noiseprune.probes.recorded import Recorded
from noiseprune.probes.simulated import Simulated
from noiseprune.probes.sketched import Sketched

# the one table of probes: what `probe="name"` makes; Recorded needs its recording and is given as an object
PROBES: dict[str, Callable[[], Probe]] = {"exact": Exact, "sketched": Sketched, "simulated": Simulated}

__all__ = [
    "PROBES",
    "DifferenceVariance",
    "Exact",
    "Measurement",
    "Probe",
    "Quantity",
    "Recorded",
    "Simulated",
    "Sketched",
    "measure",
]
