"""The rules: what makes a synapse important, how much is kept, which synapses stay, and what the leak does about it.

In the paper's order: a rule weighs (`Noise` and its rivals), `budget` turns importance into keep probabilities, `draw`
decides, `noiseprune.strengthenings` makes up for what was lost, and `leak` keeps the balance between a neuron's leak and
its total input. All but the rules are pure functions on arrays of one entry a link.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from noiseprune.errors import check_choice, check_protocol
from noiseprune.probes.base import Quantity
from noiseprune.rules.base import LocalForm, Rule
from noiseprune.rules.noise import Noise
from noiseprune.rules.rivals import Activity, Magnitude, Uniform, Weight

__all__ = ["RULES", "Activity", "LocalForm", "Magnitude", "Noise", "Rule", "Uniform", "Weight", "make_rule"]

# the one table of rules: what `rule="name"` makes
RULES: dict[str, Callable[[], Rule]] = {
    "noise": Noise,
    "weight": Weight,
    "uniform": Uniform,
    "magnitude": Magnitude,
    "activity": Activity,
}


def make_rule(given: Any) -> Rule:
    """Return the rule that a name or an object stands for.

    Parameters
    ----------
    given : str or Rule
        A name in `RULES`, or an object with ``needs``, ``gaps`` and ``importance``.

    Raises
    ------
    InvalidOption
        Where it is neither.
    """
    if isinstance(given, str):
        return RULES[check_choice("rule", given, RULES)]()
    if isinstance(given, Rule):
        return given
    check_protocol("rule", given, ("needs", "gaps", "importance"), "rules.Noise()")
    return _Own(given)


class _Own(Rule):
    """A user's object that is a rule without being of our class."""

    def __init__(self, given: Any) -> None:
        self._given = given
        self.name = getattr(given, "name", type(given).__name__)  # type: ignore[misc]
        self.local, self.ranks = getattr(given, "local", None), getattr(given, "ranks", False)  # type: ignore[misc]
        self.gaps, self.importance = given.gaps, given.importance  # type: ignore[method-assign]

    @property
    def needs(self) -> tuple[Quantity, ...]:
        """What the object says it needs."""
        return tuple(self._given.needs)

    def __repr__(self) -> str:
        return repr(self._given)
