"""Every "auto" decided, every option checked against the others, before the work starts."""

from __future__ import annotations

from dataclasses import dataclass

from noiseprune.errors import InvalidOption, TooLarge, choice
from noiseprune.network import Network
from noiseprune.probes import PROBES, Probe, Recorded, Sketched
from noiseprune.rules import draw as drawing
from noiseprune.rules import importance as weighing
from noiseprune.rules import leak as balancing
from noiseprune.rules.budget import Budget, theorem_gaps
from noiseprune.strengthenings import STRENGTHENS, Strengthen

MAX_FREE_LEAK = 6_000  # neurons: tens of Cholesky inverses in some minutes
EXACT_SYMMETRIC = 5_000  # neurons: a Cholesky inverse in about three seconds on two cores
TARGET_SAMPLES = 512  # of a sketch that matched strengthening aims at: towards 64 it gains little
EXACT_GENERAL = 2_000  # neurons: a Lyapunov equation in about five seconds


@dataclass(frozen=True)
class Plan:
    """What will be done, with every "auto" decided, and why.

    Attributes
    ----------
    probe, rule, strengthen, leak, draw
        As in `noiseprune.prune`, none of them "auto".
    theorem_gaps : list of str
        What keeps the paper's theorem from covering the result.
    reasons : dict
        What was "auto" -> why it was decided so.
    """

    probe: Probe
    rule: weighing.Rule
    strengthen: Strengthen
    leak: balancing.Leak
    draw: drawing.Draw
    theorem_gaps: list[str]
    reasons: dict[str, str]

    @property
    def needs_variance(self) -> bool:
        """Whether anything reads the difference variances."""
        return self.rule == "noise" or self.strengthen == "matched"


def make_plan(
    network: Network,
    budget: Budget,
    *,
    probe: str | Probe,
    rule: str,
    strengthen: str,
    leak: str,
    draw: str,
    beyond_theorem: bool,
) -> Plan:
    """Decide what was left to us and check the rest.

    Raises
    ------
    InvalidOption
        Where an option is unknown, or does not go with the others or with the network.
    """
    reasons: dict[str, str] = {}
    the_rule = choice("rule", rule, weighing.RULES)
    the_draw = choice("draw", draw, drawing.DRAWS)
    the_method = _strengthen(network, strengthen, leak, reasons)
    the_probe = _probe(network, probe, the_method, reasons)
    the_leak = _leak(network, leak, the_method, reasons)
    gaps = theorem_gaps(network)
    for holds, gap in (
        (the_rule == "noise", f"the rule is {the_rule}"),
        (the_draw == "independent", "the draw is not independent"),
        (the_method == "reciprocal", f"the strengthening is {the_method}"),
        (the_leak == "matched", f"the leak is {the_leak}"),
    ):
        if not holds:
            gaps.append(gap)
    if budget.epsilon is not None and gaps and not beyond_theorem:
        raise InvalidOption(
            f"epsilon={budget.epsilon:g} promises an error that only the theorem gives, and here it does not hold: "
            f"{'; '.join(gaps)}. Give density instead, or beyond_theorem=True (--beyond-theorem) to use its formula "
            "without its promise"
        )
    return Plan(the_probe, the_rule, the_method, the_leak, the_draw, gaps, reasons)


def _probe(network: Network, probe: str | Probe, method: Strengthen, reasons: dict[str, str]) -> Probe:
    if isinstance(probe, str):
        name = choice("probe", probe, ("auto", *PROBES))
        if name == "auto":
            name, reasons["probe"] = _auto_probe(network)
            if name == "sketched" and method == "matched":
                reasons["probe"] += f"; {TARGET_SAMPLES} samples, since matched aims at them"
                return Sketched(samples=TARGET_SAMPLES)
        return PROBES[name]()
    if isinstance(probe, Recorded) and method == "matched":
        raise InvalidOption(
            "strengthen='matched' compares with the pruned network driven by its own noise, and a recording has another: take "
            "'reciprocal' or 'regressed', or another probe"
        )
    if isinstance(probe, type) or not hasattr(probe, "measure"):
        raise InvalidOption(f"probe must be a name or an object such as probes.Exact(); got {probe!r}")
    return probe


def _auto_probe(network: Network) -> tuple[str, str]:
    """Exact where its dense algebra takes seconds, else Sketched; Simulated and Recorded are to be asked for."""
    by_cholesky = network.symmetric and network.equal_noise
    limit = EXACT_SYMMETRIC if by_cholesky else EXACT_GENERAL
    what = "symmetric with equal noise" if by_cholesky else "directed" if not network.symmetric else "of unequal noise"
    size = f"{network.n_neurons} neurons, {what}"
    if network.n_neurons <= limit:
        return "exact", f"exact: {size}, of which dense algebra takes up to {limit} in seconds"
    return "sketched", f"sketched: {size}, and above {limit} dense algebra is slower than samples"


def _strengthen(network: Network, strengthen: str, leak: str, reasons: dict[str, str]) -> Strengthen:
    method: Strengthen = choice("strengthen", strengthen, ("auto", *STRENGTHENS))
    if strengthen == "auto":
        theorem = network.symmetric and network.dominant and network.equal_noise
        method = "reciprocal" if theorem else "regressed"
        reasons["strengthen"] = (
            "reciprocal: symmetric, diagonally dominant, equal noise"
            if theorem
            else "regressed: directed, not diagonally dominant or of unequal noise, where 1/p has no theorem"
        )
    dominant = network.symmetric and network.dominant
    if method == "matched" and not dominant:
        raise InvalidOption(
            "strengthen='matched' is for symmetric networks in which every neuron is diagonally dominant, and "
            f"{'this one is not dominant' if network.symmetric else 'this one is directed'}: take 'regressed'"
        )
    if method == "matched" and leak == "original":
        raise InvalidOption("strengthen='matched' matches the leak again after each step: leave leak out, or free")
    if method == "matched" and leak == "free" and not network.equal_noise:
        raise InvalidOption("strengthen='matched' with leak='free' needs equal noise in all neurons: take 'regressed'")
    if method == "reciprocal" and leak == "free":
        raise InvalidOption("leak='free' goes with strengthen='matched' or 'regressed', which fit it")
    if method == "matched" and leak == "free" and network.n_neurons > MAX_FREE_LEAK:
        raise TooLarge(
            f"strengthen='matched' with leak='free' works with dense matrices and stops at {MAX_FREE_LEAK} neurons; this network "
            f"has {network.n_neurons}: leave the leak matched"
        )
    return method


def _leak(network: Network, leak: str, method: Strengthen, reasons: dict[str, str]) -> balancing.Leak:
    the_leak: balancing.Leak = choice("leak", leak, ("auto", *balancing.LEAKS))
    if leak != "auto":
        return the_leak
    if method == "regressed":
        reasons["leak"] = "original: the regression fits the weights to it"
        return "original"
    reasons["leak"] = f"every neuron is diagonally dominant: {network.dominant}"
    return "matched" if network.dominant else "original"
