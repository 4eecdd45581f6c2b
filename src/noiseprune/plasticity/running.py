"""run(): the rule as it might be at work in a brain, while the network runs."""

from __future__ import annotations

import logging
import os
import warnings
from typing import Any

from numpy.typing import ArrayLike

from noiseprune.dynamics.stationary import is_stable
from noiseprune.errors import NoisePruneWarning, UnstableNetwork
from noiseprune.machine.randomness import Rng, seed_from
from noiseprune.machine.threads import blas_alone, limit_threads
from noiseprune.machine.versions import versions
from noiseprune.network.digest import describe_input
from noiseprune.plasticity.checkpoint import Checkpoint, Records, interrupts_held
from noiseprune.plasticity.development import Development
from noiseprune.plasticity.observing import Observer
from noiseprune.plasticity.planning import Plan, make_plan
from noiseprune.plasticity.process import Process
from noiseprune.plasticity.schedules import Schedule
from noiseprune.rules import Rule
from noiseprune.sources.objects import Given, network_of

logger = logging.getLogger("noiseprune")


def run(
    network: Given,
    *,
    until_density: float | None = None,
    K: float | None = None,
    schedule: str = "rounds",
    window: float | None = None,
    rounds: int = 5,
    decision_rate: float | None = None,
    fall: float | None = None,
    rule: str | Rule = "noise",
    leak: str = "auto",
    tuning: float | None = None,
    activation: str | None = None,
    drive: ArrayLike = 0.0,
    replicas: int = 1,
    step: float | None = None,
    burn_in: float | None = None,
    record_every: float | None = None,
    spectrum: bool = True,
    checkpoint: str | os.PathLike[str] | None = None,
    threads: int | None = None,
    rng: Rng = 0,
    rate: float | None = None,
) -> Development:
    """Let a noisy network run, and let its synapses prune themselves while it does.

    The network follows dx/dt = -D x + W f(x) + b + sigma xi. Each synapse follows the difference of its two neurons,
    v <- v + (step / window) ((x_i - s x_j)^2 - v), and when it decides it survives with probability
    p = min(1, K |w| v) and then has the weight w / p. Each neuron keeps the balance of its leak and its total input.

    Parameters
    ----------
    network : Network, matrix, graph or frame
        As in `noiseprune.prune`.
    until_density, K
        How far, exactly one of: the share of synapses to be left; the rule's constant, fixed.
    schedule : "once", "rounds" or "continuous"
        All synapses decide together, once or in rounds two windows apart; or each at times of its own, while K falls.
    window : float, s, optional
        Averaging time of the traces. By default 20 times the slowest time constant of the linear network.
    rounds : int
        In each of which the same share is kept.
    decision_rate : float, 1/s, optional
        continuous: how often a synapse decides. By default four times a window.
    fall : float, s, optional
        continuous: time in which K falls by a factor of e. By default two windows.
    rule : "noise", "weight", "uniform" or "activity"
        What makes a synapse important: |w| v, or for comparison |w|, nothing, or |w| (Var x_i + Var x_j).
    leak : "auto", "matched" or "original"
        Whether each neuron keeps its leak minus its total input as it was. "auto" does where every neuron is dominant.
    tuning : float, s, optional
        Time constant of a slow tuning, dw/dt = w log(v / v_remembered) / tuning, towards the difference variance that the
        synapse saw before it first decided. Symmetric, dominant networks.
    activation : "linear", "rectified" or "tanh", optional
        In place of the network's own. Where it is not linear, or there is a drive, neurons subtract their running mean.
    drive : float or (n_neurons,) array
        Constant input b.
    replicas : int
        Copies that run at once with noise of their own. Traces average over them: as good as a longer window.
    step : float, s, optional
        Time step. By default a fifth of one over the largest D_i + sum_j |W_ij|.
    burn_in : float, s, optional
        Time before the traces begin. By default so long that the slowest mode comes within 1 % of its variance.
    record_every : float, s, optional
        Time between records; a window by default.
    spectrum : bool
        Whether records hold eigenvalues and the worst direction, looked at where synapses have changed.
    checkpoint : path, optional
        An ``.npz`` file that holds the state once a minute, after Ctrl-C, and before an unstable step. Where it exists
        and is of the same network, options and seed, the run goes on from it, bit by bit as if never interrupted.
    threads : int, optional
        The result does not depend on them.
    rng : int, Generator or None
        The seed; recorded in the result.
    rate
        The name of `decision_rate` in the first release.

    Returns
    -------
    Development
        The network at the end, and how it came there.

    Raises
    ------
    UnstableNetwork
        Where activity leaves all bounds, with the time; the checkpoint then holds the last state within them.
    InvalidOption, InvalidNetwork, BadFile
        With what was expected, what came and what to do.

    Notes
    -----
    A synapse reads its weight, its trace, the activity of its two neurons, a private random number and K. To meet a
    density K is found by votes: every synapse says whether it would survive, and only the count is looked at.

    Euler's method makes the variance of a linear mode of rate |lambda| too large by 1 / (1 - step |lambda| / 2): 11 % for
    the fastest possible mode at the default step. O(replicas x m) operations a step.

    References
    ----------
    E. Moore and R. Chaudhuri, "Using noise to probe recurrent neural network structure and prune synapses",
    NeurIPS 2020, section 2.

    Examples
    --------
    >>> from noiseprune import gallery
    >>> trace = run(gallery.ring(30, 3, excess=1.0), until_density=0.5, schedule="once", window=50.0, rng=3)
    >>> trace.network.n_synapses, trace.original.n_synapses
    (90, 180)
    """
    given = {
        name: value
        for name, value in locals().items()
        if name not in ("network", "checkpoint", "threads", "rng", "rate")
    }
    given["decision_rate"] = decision_rate = rate if decision_rate is None else decision_rate
    network = network_of(network)
    seed = seed_from(rng)
    plan = make_plan(network, **{name: value for name, value in given.items() if name != "spectrum"})
    keeper = Checkpoint(checkpoint, plan.task(network, seed, spectrum=spectrum))
    with limit_threads(threads):
        process = Process(network, plan.settings, seed)
        records = keeper.resume(process)
        observer = Observer(network, spectrum=spectrum)
        try:
            _develop(process, plan, observer, records, keeper)
        except (UnstableNetwork, KeyboardInterrupt):
            keeper.save(process, records)
            raise
    keeper.save(process, records)
    record = {
        "versions": versions(),
        "seed": seed,
        "options": given | {"drive": plan.drive, "rule": rule if isinstance(rule, str) else repr(rule)},
        "chosen": {
            **plan.settings._asdict(),
            "drive": None,
            "rule": plan.settings.rule.name,
            "why": plan.reasons,
            "K": process.K,
        },
        "input": describe_input(network),
    }
    final = process.network().replace(origin=record)
    _warn(final, records)
    return Development(final, network, records, process.arrays["pruned_at"], record)


def _develop(process: Process, plan: Plan, observer: Observer, records: Records, keeper: Checkpoint) -> None:
    """Run to the end: decide, record, tune, and take the steps between."""
    schedule = plan.schedule
    with interrupts_held() as interrupted:
        while True:
            if interrupted():
                raise KeyboardInterrupt
            keeper.save(process, records, now=False)
            due = schedule.due(process)
            end = _end(process, schedule) if due is None else None
            if due == process.step:
                schedule.decide(process)
                logger.info("%.4g s: %d links left, K = %.4g", process.time, process.n_links, process.K)
            elif _record_due(process, plan, records) or process.step == end:
                if not records or records[-1]["step"] < process.step:
                    records.append(observer.look(process))
                if process.step == end:
                    return
            elif process.step == process.next_tuning:
                process.tune()
            else:
                stops = [due, end, process.next_tuning, _next_record(process, plan)]
                with blas_alone():
                    process.run(min(stop for stop in stops if stop is not None) - process.step)


def _end(process: Process, schedule: Schedule) -> int:
    return int(process.counters["last_decision"]) + schedule.wait


def _next_record(process: Process, plan: Plan) -> int:
    """The first step after this one at which a record is due."""
    done = max(process.step - plan.settings.start + plan.record_every, 0) // plan.record_every
    return plan.settings.start + done * plan.record_every


def _record_due(process: Process, plan: Plan, records: Records) -> bool:
    since = process.step - plan.settings.start
    recorded = bool(records) and records[-1]["step"] == process.step
    return since >= 0 and since % plan.record_every == 0 and not recorded


def _warn(final: Any, records: Records) -> None:
    abscissa = records[-1].get("spectral_abscissa")
    if abscissa is not None and is_stable(final, abscissa) is False:
        warnings.warn(
            f"the network at the end is UNSTABLE: its spectral abscissa is {abscissa:+.3g} 1/s: keep more synapses, prune in "
            "more rounds, or raise the leak of the original",
            NoisePruneWarning,
            stacklevel=3,
        )
