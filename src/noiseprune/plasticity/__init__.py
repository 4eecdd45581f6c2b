"""The rule as a local process that runs while the network runs.

- `process`: the state of a running network, and its moves: run, vote, decide, tune.
- `schedules`: when synapses decide, and at which K.
- `observing`, `development`: what is written down, and what a run leaves behind.
- `checkpoint`: the state in a file, from which a run goes on bit by bit.
- `kernels`: the compiled loops, where what a synapse reads can be seen.
"""

from noiseprune.plasticity.development import Development
from noiseprune.plasticity.running import run

Trace = Development  # its name in the first release

__all__ = ["Development", "Trace", "run"]
