"""When synapses decide, and at which K: once, in rounds, or continuously.

A schedule sees of the network how many links are left and nothing else. At a fixed K the rule leaves alone what it has
strengthened: a synapse that survived has the weight 1 / (K v), and p = 1 from then on. So pruning little by little
while K falls keeps a synapse with the same probability K |w| v as pruning at once, as long as v stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from noiseprune.plasticity.process import Process

FIRST_SHARE = 0.95  # of the links survive the K from which a falling K starts
DECISIONS_AT_FIXED_K = 5  # of each synapse on average: all but e^-5 of them have then decided


class Schedule(Protocol):
    """When synapses decide, and at which K."""

    @property
    def wait(self) -> int:
        """Steps that the network runs on after the last decision."""
        ...

    def due(self, process: Process) -> int | None:
        """Return the step of the next decision; None where there is none."""
        ...

    def decide(self, process: Process) -> None:
        """Let synapses decide, now."""
        ...


@dataclass(frozen=True)
class Rounds:
    """All synapses decide together, several times, with a wait between in which the activity settles.

    Attributes
    ----------
    targets : tuple of float
        Links to keep after each round, or
    K : tuple of float
        the constant of each.
    first, wait : int
        Step of the first round; steps between rounds.
    """

    targets: tuple[float, ...]
    K: tuple[float, ...]
    first: int
    wait: int

    def due(self, process: Process) -> int | None:
        """Return the step of the next round."""
        more = process.decisions < max(len(self.targets), len(self.K))
        return self.first + process.decisions * self.wait if more else None

    def decide(self, process: Process) -> None:
        """Let all synapses decide."""
        round_ = process.decisions
        process.decide(self.K[round_] if self.K else process.vote(self.targets[round_], process.K))


@dataclass(frozen=True)
class Continuous:
    """Synapses decide one by one, each at times of its own, while K falls until few enough are left.

    Attributes
    ----------
    target : float
        Links to keep, or
    K : float or None
        the constant, fixed.
    first, every, wait : int
        Step of the first decisions; steps between them; steps after the last.
    share : float
        Of the synapses, drawn at random, that decide each time.
    fall : float
        What K is multiplied by from one time to the next.
    """

    target: float
    K: float | None
    first: int
    every: int
    wait: int
    share: float
    fall: float

    def due(self, process: Process) -> int | None:
        """Return the step of the next decisions."""
        if self.K is not None:
            more = process.decisions < np.ceil(DECISIONS_AT_FIXED_K / self.share)
        else:
            more = process.n_links > self.target
        return self.first + process.decisions * self.every if more else None

    def decide(self, process: Process) -> None:
        """Let a share of the synapses decide."""
        if self.K is not None:
            K = self.K
        elif process.K is None:
            K = process.vote(max(FIRST_SHARE * process.n_links, self.target))
        else:
            K = process.K * self.fall
        process.decide(K, self.share)


def geometric(n_links: int, target: float, rounds: int) -> tuple[float, ...]:
    """Links to keep after each round so that every round keeps the same share.

    Parameters
    ----------
    n_links : int
        Links at the start.
    target : float
        Links to keep at the end.
    rounds : int
        How many rounds it takes.

    Returns
    -------
    tuple of float
        One number a round, the last of which is `target`.

    Examples
    --------
    >>> [round(x) for x in geometric(1000, 125.0, 3)]
    [500, 250, 125]
    """
    share = (target / n_links) ** (1 / rounds) if n_links else 1.0
    return (*(n_links * share**k for k in range(1, rounds)), target)
