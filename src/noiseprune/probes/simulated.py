"""Difference variances from the noisy network itself, run in time: the biological experiment."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from noiseprune.dynamics import runs as dynamics
from noiseprune.dynamics.stationary import slowest_rate
from noiseprune.errors import DidNotConverge, InvalidOption, check_choice
from noiseprune.machine.memory import require_memory
from noiseprune.machine.randomness import Rng, seed_from
from noiseprune.machine.speed import Cost
from noiseprune.machine.threads import blas_alone
from noiseprune.network import ACTIVATIONS, Activation, Network
from noiseprune.network.units import Units
from noiseprune.probes.base import ONLY_V, Measurement, Quantity, alone, gatherer, leave

logger = logging.getLogger("noiseprune")

Floats = NDArray[np.float64]

SAMPLE_EVERY = 0.5  # in units of 1 / median leak: states closer together tell little new
DURATION = 10.0  # of measuring, in units of 1 / median leak
CHECK_EVERY = 100  # steps between looks at whether the state is still a number
MAX_STEPS = 2_000_000  # more is refused with what would need fewer


@dataclass(frozen=True)
class Simulated:
    """Difference variances of the running network, dx/dt = -D x + W f(x) + b + sigma xi, linear or not.

    Replicas run at once, with independent noise, from rest. After the burn-in their states are sampled, and the
    centred moments at the synapses accumulated; no history is stored.

    Parameters
    ----------
    replicas : int
        Independent runs, two or more.
    step : float, s, optional
        Time step. By default a fifth of one over the largest D_i + sum_j |W_ij|.
    duration : float, s, optional
        Time measured, after the burn-in. By default 10 over the median leak.
    burn_in : float, s, optional
        Time before measuring. By default so long that the slowest mode of A comes within 1 % of its variance.
    drive : float or (n_neurons,) array
        Constant input b.
    activation : "linear", "rectified" or "tanh", optional
        In place of the network's own.

    Notes
    -----
    The step is Heun's, x' = x + h (s(x) + s(x + h s(x) + w)) / 2 + w with the slope s and the noise w: of second weak
    order. With y = h |lambda|, the variance of a linear mode of rate |lambda| comes out too small by the factor
    (1 - y + y^2/4) / (1 - y + y^2/2 - y^3/8); the report holds it for the fastest possible mode, 1 % for the default
    step. O(replicas x steps x m) operations.

    The other probes measure the linear network A; this one measures the network itself.

    References
    ----------
    P. E. Kloeden and E. Platen, "Numerical Solution of Stochastic Differential Equations", Springer 1992.

    Examples
    --------
    Two neurons, a leak of 1 and a synapse of 0.5 each way, v = 1 / 1.5:

    >>> from noiseprune import Network
    >>> v = Simulated(duration=200).measure(Network([[0, 0.5], [0.5, 0]], leak=1.0), rng=3)
    >>> bool(abs(v.value[0] - 1 / 1.5) < 4 * v.standard_error[0])
    True
    """

    replicas: int = 64
    step: float | None = None
    duration: float | None = None
    burn_in: float | None = None
    drive: ArrayLike = 0.0
    activation: Activation | None = None

    def __post_init__(self) -> None:
        if not (isinstance(self.replicas, int | np.integer) and self.replicas >= 2):
            raise InvalidOption(f"replicas must be a whole number, 2 or more; got {self.replicas!r}")
        for name in ("step", "duration", "burn_in"):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value >= 0 and (value > 0 or name != "step")):
                raise InvalidOption(
                    f"{name} is a time in seconds, {'above' if name == 'step' else 'at least'} 0; got {value!r}"
                )
        if self.activation is not None:
            check_choice("activation", self.activation, ACTIVATIONS)

    def measure(self, network: Network, *, rng: Rng = 0, quantities: Sequence[Quantity] = ONLY_V) -> Measurement:
        """Measure v at every synapse of the running network, and what else is asked for.

        Raises
        ------
        UnstableNetwork, InvalidOption
            Where there is no burn-in to choose, since the linear network is not stable or its slowest mode unknown.
        DidNotConverge
            Where the state leaves the range of numbers: the network is not stable, or the step too long.
        TooLarge
            Where memory will not suffice.
        """
        units = self._units(network)
        inside = units.enter(network)
        drive, plan = dynamics.constant_drive(network, self.drive), self._schedule(network)
        if not network.n_links:
            return alone(network, None, "Simulated (no synapses)", quantities)
        require_memory(self.memory(network), f"simulating {self.replicas} replicas", "give fewer replicas")
        drive = np.ldexp(drive, -units.noise - units.rate // 2)
        with blas_alone():
            return leave(units, self._run(inside, drive, plan, seed_from(rng), units.rate, quantities))

    def _units(self, network: Network) -> Units:
        units = Units.of(network)
        # what tanh makes of activity depends on the size of it
        return units if (self.activation or network.activation) != "tanh" else units._replace(noise=units.rate // 2)

    def cost(self, network: Network) -> Cost:
        """Estimate memory and time, from the time of a few steps."""
        plan = self._schedule(network)
        walk = self._walk(network, dynamics.constant_drive(network, self.drive), plan.step, 0)
        walk.advance(1)
        start = time.perf_counter()
        walk.advance(3)
        return Cost(self.memory(network), (time.perf_counter() - start) / 3 * plan.n_steps)

    def memory(self, network: Network) -> float:
        """Bytes beside the network."""
        return 40.0 * network.n_neurons * self.replicas + 16.0 * network.n_synapses

    def _schedule(self, network: Network) -> _Schedule:
        typical = 1 / float(np.median(network.leak))
        step = dynamics.safe_step(network) if self.step is None else float(self.step)
        after = DURATION * typical if self.duration is None else float(self.duration)
        every = max(1, round(SAMPLE_EVERY * typical / step))
        plan = _Schedule(step, int(np.ceil(self._burn_in(network) / step)), 1 + int(after / step / every), every)
        if plan.n_steps > MAX_STEPS:
            raise InvalidOption(
                f"simulating would take {plan.n_steps:.3g} steps of {step:.3g} s; the limit is {MAX_STEPS}: give a shorter "
                "burn_in or duration, a longer step, or take another probe"
            )
        return plan

    def _walk(self, network: Network, drive: Floats, step: float, seed: int) -> _Walk:
        motion = dynamics.Dynamics(network, self.activation, drive)
        return _Walk(motion, network, self.replicas, step, np.random.default_rng(seed))

    def _run(
        self, network: Network, drive: Floats, plan: _Schedule, seed: int, rate: int, quantities: Sequence[Quantity]
    ) -> Measurement:
        """Run a network whose rates are in units of 2^rate 1/s; the plan is in seconds."""
        from noiseprune.probes.differences import Links, SampleCounter

        n_states = plan.n_states
        walk = self._walk(network, drive, float(np.ldexp(plan.step, rate)), seed)
        links = Links(network, walk.state.dtype)
        walk.advance(plan.n_before, "burning in")
        # states are centred on their mean at the start of measuring, so that nothing large is squared
        centre = walk.state.mean(axis=1, keepdims=True)
        counter, others = SampleCounter(links, self.replicas, seed), gatherer(network, quantities)
        squares, sums = np.zeros(network.n_links), np.zeros(network.n_neurons)
        start = time.monotonic()
        for done in range(n_states):
            if done:
                walk.advance(plan.every)
            deviation = walk.state - centre
            links.add_difference_squares(deviation, squares)
            sums += deviation.sum(axis=1, dtype=np.float64)
            counter.add(deviation)
            others.add(deviation)
            if time.monotonic() - start > 1:
                left = (time.monotonic() - start) * (n_states - done - 1) / (done + 1)
                progress = {"progress": (done + 1, n_states)}
                logger.info("sampled %d of %d states, %.0f s left", done + 1, n_states, left, extra=progress)
        samples = counter.independent_samples()
        count = n_states * self.replicas
        post, pre, weight = network.links
        mean = (sums[post] - np.sign(weight) * sums[pre]) / count
        # the mean is measured too, by as many independent samples: the usual correction
        v = (squares / count - mean**2) * (samples / max(samples - 1, 1))
        fastest = float(np.ldexp(plan.step, rate)) * float(np.max(network.leak + network.total_input))
        report: dict[str, Any] = {
            "samples": int(samples),
            "states": count,
            "activation": self.activation or network.activation,
            "step": plan.step,
            "steps": walk.steps,
            "burn_in": plan.n_before * plan.step,
            "step_bias_of_the_fastest_linear_mode": step_bias(fastest),
        }
        unbiased = samples / max(samples - 1, 1)
        return Measurement(
            np.maximum(v, 0.0),
            float(np.sqrt(2 / samples)),
            network.synapses_per_link,
            int(samples),
            f"Simulated ({report['activation']}, {self.replicas} replicas, {walk.steps} steps of {plan.step:.3g} s)",
            report,
            **others.found(unbiased, sums / count),
        )

    def _burn_in(self, network: Network) -> float:
        if self.burn_in is not None:
            return float(self.burn_in)
        return dynamics.settling_time(slowest_rate(network))


class _Schedule(NamedTuple):
    """Time step in s; steps before measuring; states measured, and steps between them."""

    step: float
    n_before: int
    n_states: int
    every: int

    @property
    def n_steps(self) -> int:
        """All steps."""
        return self.n_before + (self.n_states - 1) * self.every


class _Walk:
    """All replicas, (n, replicas), moved by Heun's method."""

    def __init__(
        self, motion: dynamics.Dynamics, network: Network, replicas: int, step: float, random: np.random.Generator
    ) -> None:
        self.state = np.zeros((network.n_neurons, replicas), motion.dtype)
        self.steps = 0
        self._motion, self._random = motion, random
        self._h = motion.dtype.type(step)
        self._noise = (network.noise_std * np.sqrt(step)).astype(motion.dtype)[:, None]

    def _step(self) -> None:
        noise = self._noise * self._random.standard_normal(self.state.shape, dtype=self.state.dtype)
        first = self._motion.drift(self.state)
        second = self._motion.drift(self.state + self._h * first + noise)
        self.state += (self._h / 2) * (first + second) + noise

    def advance(self, steps: int, what: str = "") -> None:
        """Take so many steps; a `what` is told with the time left."""
        start = last = time.monotonic()
        for done in range(1, steps + 1):
            with np.errstate(
                over="ignore", invalid="ignore"
            ):  # a state that leaves the range of numbers is found below
                self._step()
            self.steps += 1
            if done % CHECK_EVERY == 0 or done == steps:
                self._check()
            now = time.monotonic()
            if what and now - last > 1:
                last = now
                left = (now - start) * (steps - done) / done
                logger.info("%s, %.0f s left", what, left, extra={"progress": (done, steps)})

    def _check(self) -> None:
        if not np.all(np.isfinite(self.state)):
            raise DidNotConverge(
                f"the simulation left the range of numbers within {self.steps} steps: the network is not stable, or the step of "
                f"{self._h:.3g} s too long; raise the leak, or give a shorter step"
            )


def step_bias(y: float) -> float:
    """Return the relative bias of the variance of a linear mode of rate |lambda| under Heun's method, y = h |lambda|."""
    if not y < 2:  # the method is not stable there
        return -1.0
    return (1 - y + y**2 / 4) / (1 - y + y**2 / 2 - y**3 / 8) - 1
