"""What is written down while a network runs: synapses, weights, spectrum, worst direction, activity."""

from __future__ import annotations

from typing import Any

import numpy as np

from noiseprune.measure.compare import Reference
from noiseprune.network import Network
from noiseprune.plasticity.process import Process

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class Observer:
    """Makes the rows of ``Trace.records``.

    Parameters
    ----------
    network : Network
        The original: what follows is held against it.
    spectrum : bool
        Whether eigenvalues and the worst direction are looked at; the rest costs next to nothing.
    """

    def __init__(self, network: Network, *, spectrum: bool) -> None:
        self._reference = Reference(network) if spectrum else None
        self._seen: tuple[Any, dict[str, Any]] | None = None  # the spectrum, and of which moment

    def look(self, process: Process) -> dict[str, Any]:
        """Describe the network as it is now, fit for strict JSON; None stands where there is nothing to tell yet."""
        size = np.abs(process.arrays["weight"])
        size = size[size > 0]
        total, left = process.original.n_links, process.n_links
        running = process.step > process.settings.start
        return {
            "time": process.time,
            "step": process.step,
            "synapses": left * process.original.synapses_per_link,
            "density": left / total if total else None,
            "decisions": process.decisions,
            "K": process.K,
            **{f"weight_q{100 * q:02.0f}": float(np.quantile(size, q)) if size.size else None for q in QUANTILES},
            "activity_mean": float(process.arrays["mean"].mean()) if running else None,
            "activity_variance": float(process.arrays["variance"].mean()) if running else None,
            **self._spectrum(process),
        }

    def _spectrum(self, process: Process) -> dict[str, Any]:
        """What eigenvalues tell; looked at again only where synapses have changed."""
        if self._reference is None:
            return {}
        moment = (process.counters["last_decision"], process.counters["last_tuning"], process.decisions)
        if self._seen is None or self._seen[0] != moment:
            self._seen = moment, self._reference.spectrum(process.network())
        return self._seen[1]
