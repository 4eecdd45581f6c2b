"""What a prune is asked to do, and what will be done: every "auto" decided, every option checked, before the work starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from noiseprune.errors import InvalidOption, check_choice, check_protocol
from noiseprune.machine import limits
from noiseprune.network import Network
from noiseprune.probes import PROBES, Probe, Quantity, Sketched
from noiseprune.pruning.options import PruneOptions
from noiseprune.rules import Rule, make_rule, theorem
from noiseprune.rules import leak as balancing
from noiseprune.rules.budget import Budget
from noiseprune.rules.draw import DRAWS, Draw
from noiseprune.rules.leak import Leak
from noiseprune.strengthenings import STRENGTHENINGS, Strengthening, make_strengthening


@dataclass(frozen=True)
class Plan:
    """What will be done, with every "auto" decided, and why.

    Attributes
    ----------
    probe, rule, strengthening, leak, draw
        As in `noiseprune.prune`, none of them "auto".
    theorem_gaps : list of str
        What keeps the paper's theorem from covering the result.
    reasons : dict
        What was "auto" -> why it was decided so.
    """

    probe: Probe
    rule: Rule
    strengthening: Strengthening
    leak: Leak
    draw: Draw
    theorem_gaps: list[str]
    reasons: dict[str, str]

    @property
    def needs(self) -> tuple[Quantity, ...]:
        """What must be measured of the original; empty for nothing."""
        return tuple(dict.fromkeys((*self.rule.needs, *self.strengthening.needs)))


def make_plan(network: Network, budget: Budget, options: PruneOptions) -> Plan:
    """Decide what was left to us and check the rest.

    Parameters
    ----------
    network : Network
        What will be pruned.
    budget : Budget
        How many synapses stay.
    options : PruneOptions
        The others.

    Raises
    ------
    InvalidOption, TooLarge
        Where an option is unknown, or does not go with the others or with the network.
    """
    reasons: dict[str, str] = {}
    rule = make_rule(options.rule)
    draw = DRAWS[check_choice("draw", options.draw, DRAWS)]
    check_choice("leak", options.leak, ("auto", *balancing.LEAKS))
    strengthening = _strengthening(network, options.strengthen, reasons)
    strengthening.check(network, options.leak)
    probe = _probe(network, options.probe, strengthening, reasons)
    leak: Any = options.leak
    if leak == "auto":
        leak, reasons["leak"] = strengthening.auto_leak(network)
    gaps = [
        *theorem.network_gaps(network),
        *rule.gaps(network),
        *draw.gaps,
        *strengthening.gaps(network),
        *balancing.gaps(leak),
    ]
    if budget.epsilon is not None and gaps and not options.beyond_theorem:
        raise InvalidOption(
            f"epsilon={budget.epsilon:g} promises an error that only the theorem gives, and here it does not hold: "
            f"{'; '.join(gaps)}. Give density instead, or beyond_theorem=True to use its formula "
            "without its promise"
        )
    return Plan(probe, rule, strengthening, leak, draw, gaps, reasons)


def _strengthening(network: Network, given: str | Strengthening, reasons: dict[str, str]) -> Strengthening:
    if given != "auto":
        if isinstance(given, str):
            check_choice("strengthen", given, ("auto", *STRENGTHENINGS))
        return make_strengthening(given)
    if not theorem.operator_gaps(network):
        reasons["strengthen"] = "reciprocal: symmetric, diagonally dominant, equal noise"
        return make_strengthening("reciprocal")
    reasons["strengthen"] = "regressed: directed, not diagonally dominant or of unequal noise, where 1/p has no theorem"
    return make_strengthening("regressed")


def _probe(network: Network, given: str | Probe, strengthening: Strengthening, reasons: dict[str, str]) -> Probe:
    if isinstance(given, str):
        name = check_choice("probe", given, ("auto", *PROBES))
        if name == "auto":
            name, reasons["probe"] = _auto_probe(network)
            if name == "sketched" and strengthening.samples is not None:
                reasons["probe"] += f"; {strengthening.samples} samples, since {strengthening.name} aims at them"
                return Sketched(samples=strengthening.samples)
        return PROBES[name]()
    check_protocol("probe", given, ("measure",), "probes.Exact()")
    if strengthening.remeasures and not getattr(given, "repeatable", True):
        raise InvalidOption(
            f"strengthen='{strengthening.name}' compares with the pruned network driven by its own noise, and a recording has "
            "another: take 'reciprocal' or 'regressed', or another probe"
        )
    return given


def _auto_probe(network: Network) -> tuple[str, str]:
    """Exact where its dense algebra takes seconds, else Sketched; Simulated and Recorded are to be asked for."""
    by_cholesky = network.symmetric and network.equal_noise
    limit = limits.EXACT_SYMMETRIC if by_cholesky else limits.EXACT_GENERAL
    what = "symmetric with equal noise" if by_cholesky else "directed" if not network.symmetric else "of unequal noise"
    size = f"{network.n_neurons} neurons, {what}"
    if network.n_neurons <= limit:
        return "exact", f"exact: {size}, of which dense algebra takes up to {limit} in seconds"
    return "sketched", f"sketched: {size}, and above {limit} dense algebra is slower than samples"
