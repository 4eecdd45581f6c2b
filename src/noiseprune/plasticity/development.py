"""What a run leaves behind: the network at its end, and how it came there."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noiseprune.machine.threads import limit_threads
from noiseprune.measure.compare import compare
from noiseprune.measure.pair import Pair
from noiseprune.measure.result import Comparison
from noiseprune.network import Network
from noiseprune.plasticity.saving import save

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Development(Pair):
    """How a network developed.

    Attributes
    ----------
    network : Network
        The network at the end.
    original : Network
        The network at the start.
    records : list of dict
        One row a time of recording: `time` (s), `step`, `synapses`, `density`, `decisions` (how often synapses had
        decided), `K` of the last decision, quantiles of absolute weights (`weight_q05` ... `weight_q95`),
        `activity_mean` and `activity_variance` (running averages, mean over neurons), and, where the spectrum was
        looked at, `spectral_abscissa` (1/s), `eigenvalue_error_median`, `eigenvalue_error_slowest` and
        `worst_direction` against the original, as in `Comparison`, with `not_measured` saying why one is None.
    link_pruned_at : (n_links,) array, s
        When each link of the original went; infinite where it stayed.
    provenance : dict
        Versions, seed, options, what every default became and why, digest of the input.
    comparison : Comparison or None
        What the end kept of the start, where `compared` has measured it.
    """

    network: Network
    original: Network
    records: list[dict[str, Any]]
    link_pruned_at: Floats
    provenance: dict[str, Any]
    comparison: Comparison | None = None

    def compared(self, *, threads: int | None = None) -> Development:
        """Measure what was preserved at the end, and return a copy that holds it."""
        with limit_threads(threads):
            return replace(self, comparison=compare(self.original, self.network, rng=self.provenance["seed"]))

    @property
    def time(self) -> Floats:
        """Times of recording, (n_records,), s."""
        return np.array([row["time"] for row in self.records])

    @property
    def density(self) -> Floats:
        """Share of the original's synapses that was left at each time, (n_records,)."""
        return np.array([row["density"] for row in self.records])

    @property
    def pruned_at(self) -> Floats:
        """When each synapse of the original went, (n_synapses,), in the order of ``original.synapses``; else infinite."""
        return self.original.spread(self.link_pruned_at)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write everything to ``.npz``, which `noiseprune.load` reads, or the records alone to ``.parquet``."""
        save(self, path, overwrite=overwrite)

    def __repr__(self) -> str:
        return (
            f"Development({self.network.n_neurons} neurons, {self.network.n_synapses} of {self.original.n_synapses} synapses "
            f"left after {self.time[-1]:.6g} s, {len(self.records)} records)"
        )
