"""Every default of a run decided, every option checked, before it starts."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from noiseprune.dynamics import runs as dynamics
from noiseprune.dynamics.stationary import slowest_rate
from noiseprune.errors import InvalidOption, NoisePruneWarning, check_choice
from noiseprune.network import ACTIVATIONS, Network
from noiseprune.network.digest import digest
from noiseprune.plasticity.process import Settings
from noiseprune.plasticity.schedules import Continuous, Rounds, Schedule, geometric
from noiseprune.rules import RULES, Rule, make_rule
from noiseprune.rules.budget import Budget

SCHEDULES = ("once", "rounds", "continuous")
WINDOW = 20.0  # slowest time constants: the slowest mode is then known to a fifth, the others better
WAIT = 2.0  # windows from one round to the next: a trace has then forgotten all but e^-2 of what was before
DECISIONS = 4.0  # of a synapse within a window, in the continuous schedule
FALL = 2.0  # windows in which K falls by a factor of e
TIMES = 50  # in a window at which synapses decide, in the continuous schedule


@dataclass(frozen=True)
class Plan:
    """What will be done: how the network runs, when synapses decide, steps between records, and why."""

    settings: Settings
    schedule: Schedule
    record_every: int
    reasons: dict[str, str]

    @property
    def drive(self) -> list[float] | float:
        """The constant input, fit for JSON: one number where there is none."""
        given = self.settings.drive
        return given.tolist() if given.any() else 0.0

    def task(self, network: Network, seed: int, *, spectrum: bool) -> dict[str, Any]:
        """Return everything that two runs must have in common to be the same one, fit for JSON.

        Parameters
        ----------
        network : Network
            What runs.
        seed : int
            Of the run.
        spectrum : bool
            Whether the spectral abscissa is recorded.
        """
        return {
            "network": digest(network),
            "seed": seed,
            "settings": {**self.settings._asdict(), "drive": self.drive, "rule": self.settings.rule.name},
            "schedule": {"name": type(self.schedule).__name__, **vars(self.schedule)},
            "record_every": self.record_every,
            "spectrum": spectrum,
        }


def make_plan(
    network: Network,
    *,
    until_density: float | None,
    K: float | None,
    schedule: str,
    window: float | None,
    rounds: int,
    decision_rate: float | None,
    fall: float | None,
    rule: str | Rule,
    leak: str,
    tuning: float | None,
    activation: str | None,
    drive: ArrayLike,
    replicas: int,
    step: float | None,
    burn_in: float | None,
    record_every: float | None,
) -> Plan:
    """Decide what was left to us and check the rest.

    Parameters
    ----------
    network : Network
        What will run.
    until_density, K, schedule, window, rounds, decision_rate, fall, rule, leak, tuning, activation, drive, replicas
        As in `noiseprune.run`.
    step, burn_in, record_every
        As in `noiseprune.run`; None for what is decided here.

    Raises
    ------
    InvalidOption
        Where an option is unknown, or does not go with the others or with the network.
    """
    reasons: dict[str, str] = {}
    given = {
        "window": window,
        "decision_rate": decision_rate,
        "fall": fall,
        "tuning": tuning,
        "step": step,
        "record_every": record_every,
    }
    for name, value in given.items():
        if value is not None and not (np.isfinite(value) and value > 0):
            raise InvalidOption(f"{name} must be positive and finite; got {value!r}")
    if burn_in is not None and not (np.isfinite(burn_in) and burn_in >= 0):
        raise InvalidOption(f"burn_in is a time in seconds, 0 or more; got {burn_in!r}")
    for name, count in (("rounds", rounds), ("replicas", replicas)):
        if not (isinstance(count, int | np.integer) and count >= 1):
            raise InvalidOption(f"{name} must be a whole number, 1 or more; got {count!r}")
    name = check_choice("schedule", schedule, SCHEDULES)
    if name != "continuous" and not decision_rate is fall is None:
        raise InvalidOption("decision_rate and fall belong to schedule='continuous', where synapses decide one by one")
    target = _target(network, until_density, K)
    h = float(step) if step is not None else dynamics.safe_step(network)
    slowest = slowest_rate(network)
    window_ = _window(window, slowest, reasons)
    start = int(np.ceil(_burn_in(burn_in, slowest, reasons) / h))
    settings = Settings(
        step=h,
        window=max(window_, h),
        start=start,
        replicas=int(replicas),
        activation=check_choice("activation", activation or network.activation, ACTIVATIONS),
        drive=np.broadcast_to(dynamics.constant_drive(network, drive), network.n_neurons).copy(),
        rule=_rule(rule),
        leak=_leak(network, leak, tuning, reasons),
        tuning=tuning,
    )
    window_steps = max(1, round(window_ / h))
    wait = round(WAIT * window_steps)
    made: Schedule
    if name == "continuous":
        every = max(1, round(window_steps / TIMES))
        each = decision_rate if decision_rate is not None else DECISIONS / window_
        constant = fall if fall is not None else FALL * window_
        made = Continuous(
            target, K, start + wait, every, wait, min(1.0, each * every * h), float(np.exp(-every * h / constant))
        )
    else:
        n_rounds = 1 if name == "once" else int(rounds)
        targets = () if K is not None else geometric(network.n_links, target, n_rounds)
        made = Rounds(targets, (K,) * n_rounds if K is not None else (), start + wait, wait)
    recording = window_steps if record_every is None else max(1, round(record_every / h))
    return Plan(settings, made, recording, reasons)


def _target(network: Network, until_density: float | None, K: float | None) -> float:
    """Links to keep; zero where K decides."""
    if (until_density is None) == (K is None):
        raise InvalidOption(
            f"say how far to prune: exactly one of until_density and K; got until_density={until_density} and K={K}"
        )
    budget = Budget(density=until_density, K=K)
    return budget.target_links(network, whole=True) or 0.0


def _window(window: float | None, slowest: float, reasons: dict[str, str]) -> float:
    if window is None:
        if not slowest > 0:
            raise dynamics.no_slowest_mode(slowest, "window")
        reasons["window"] = f"{WINDOW:g} times the slowest time constant, {1 / slowest:.4g} s"
        return WINDOW / slowest
    if slowest > 0 and window < 1 / slowest:
        warnings.warn(
            f"the window of {window:.4g} s is shorter than the slowest time constant of the linear network, {1 / slowest:.4g} s: "
            "difference variances that slow modes make will be wrong",
            NoisePruneWarning,
            stacklevel=4,
        )
    return float(window)


def _burn_in(burn_in: float | None, slowest: float, reasons: dict[str, str]) -> float:
    if burn_in is not None:
        return float(burn_in)
    time = dynamics.settling_time(slowest)
    reasons["burn_in"] = f"the slowest mode comes within {100 * dynamics.START_LEFT:g} % of its variance"
    return time


def _rule(given: str | Rule) -> Rule:
    rule = make_rule(given)
    if rule.local is None or rule.ranks:
        local = ", ".join(name for name, made in RULES.items() if made().local is not None and not made().ranks)
        raise InvalidOption(
            f"a synapse of a running network cannot work out the rule {rule.name} for itself: take one of {local}, or a rule "
            "of your own with a local form"
        )
    return rule


def _leak(network: Network, leak: str, tuning: float | None, reasons: dict[str, str]) -> str:
    the_leak = check_choice("leak", leak, ("auto", "matched", "original"))
    if the_leak == "auto":
        the_leak = "matched" if network.dominant else "original"
        reasons["leak"] = f"{the_leak}: every neuron is diagonally dominant: {network.dominant}"
    if tuning is not None and not (network.symmetric and network.dominant and the_leak == "matched"):
        raise InvalidOption(
            "tuning is the matched strengthening drawn out in time: it is for symmetric networks in which every neuron is "
            "diagonally dominant, with matched leak; leave tuning out"
        )
    return str(the_leak)
