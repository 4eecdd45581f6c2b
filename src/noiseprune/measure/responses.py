"""What pruning did to responses: fixed points, decay from a random state, runs under common input and noise."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import Any

import numpy as np

from noiseprune.dynamics import runs
from noiseprune.errors import DidNotConverge, UnstableNetwork
from noiseprune.measure.reasons import OUT_OF_RANGE, Floats, Reasons, number, relative
from noiseprune.measure.side import Side
from noiseprune.network import Activation, Network
from noiseprune.network.units import Units

logger = logging.getLogger("noiseprune")

N_FIXED_POINTS = 20
N_RUNS = 5
RUN_LENGTH = 10.0  # in units of 1 / median leak
DECAY_TIME = 2.0  # in units of 1 / median leak
MAX_STEPS = 50_000


class Responses:
    """How the original responds, computed once for many pruned networks, and how far these differ.

    Parameters
    ----------
    before : Side
        The original, in `units`.
    units : Units
        Those in which inputs are standard normal.
    seeds : sequence of four seeds
        Of the inputs of fixed points, the state from which activity decays, and the input and the noise of runs.
    """

    def __init__(self, before: Side, units: Units, seeds: Any) -> None:
        self._before, self._units, self._seeds = before, units, seeds

    def errors(self, new: Side, reasons: Reasons) -> dict[str, Any]:
        """Return every error of a response; None where it is missing, for a reason."""
        return {
            "fixed_point_error": self._fixed_point_error(new, reasons),
            "decay_error": self._decay_error(new.network, reasons),
            "trajectory_error": {
                "linear": self._trajectory_error(new.network, "linear", reasons),
                "rectified": self._trajectory_error(new.network, "rectified", reasons),
            },
        }

    @cached_property
    def _inputs(self) -> Floats:
        return np.random.default_rng(self._seeds[0]).standard_normal((self._before.network.n_neurons, N_FIXED_POINTS))

    @cached_property
    def _fixed_points(self) -> Floats:
        return self._before.fixed_points(self._inputs)

    def _fixed_point_error(self, new: Side, reasons: Reasons) -> float | None:
        logger.info("comparing fixed points")
        try:
            before_points, after_points = self._fixed_points, new.fixed_points(self._inputs)
        except np.linalg.LinAlgError:
            return reasons.skip("fixed_point_error", "A or A' is singular")
        except (DidNotConverge, UnstableNetwork) as error:
            return reasons.skip("fixed_point_error", str(error))
        return relative(after_points, before_points)

    @cached_property
    def _decayed(self) -> Floats:
        return self._decay(self._before.network)

    def _decay(self, network: Network) -> Floats:
        import scipy.sparse.linalg as sla

        start = np.random.default_rng(self._seeds[1]).random(network.n_neurons)
        time = self._decay_time
        A = runs.linear_operator(network)
        return np.asarray(sla.expm_multiply(A * time, start, traceA=-float(network.leak.sum()) * time))

    @property
    def _decay_time(self) -> float:
        return DECAY_TIME / float(np.median(self._before.network.leak))

    def _decay_error(self, after: Network, reasons: Reasons) -> float | None:
        fastest = self._decay_time / runs.safe_step(self._before.network, after)  # products with A grow with it
        if fastest > MAX_STEPS:
            return reasons.skip("decay_error", f"would take {fastest:.0f} time steps; the limit is {MAX_STEPS}")
        return relative(self._decay(after), self._decayed)

    def _trajectory_error(self, after: Network, activation: Activation, reasons: Reasons) -> float | None:
        before, units = self._before.network, self._units
        duration = RUN_LENGTH / float(np.median(before.leak))
        step = runs.safe_step(before, after)
        n_steps = int(np.ceil(duration / step))
        if n_steps > MAX_STEPS:
            return reasons.skip("trajectory_error", f"would take {n_steps} time steps; the limit is {MAX_STEPS}")
        difference = size = 0.0
        for x, y in runs.run_both(
            before,
            after,
            n_runs=N_RUNS,
            step=step,
            n_steps=n_steps,
            rng=(self._seeds[2], self._seeds[3]),
            activation=activation,
            input_std=float(np.ldexp(1.0, -units.noise - units.rate // 2)),
        ):
            difference += float(np.sum((y - x) ** 2))
            size += float(np.sum(x**2))
        error = number(np.sqrt(difference / size)) if size > 0 else None
        return error if error is not None else reasons.skip(f"trajectory_error.{activation}", OUT_OF_RANGE)
