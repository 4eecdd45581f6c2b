"""The weights of the synapses that stay: the paper's 1/p, and two that go on from there.

- *reciprocal* reads a synapse's own weight and keep probability. Unbiased, and noisy.
- *matched* lets each synapse see its difference variance again, later: synapse-local. Symmetric, dominant networks.
- *regressed* lets each neuron refit its inputs, seeing the second moments of those inputs: neuron-local. Any network.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from noiseprune.errors import check_choice, check_protocol
from noiseprune.strengthenings.base import Draft, Strengthened, Strengthening
from noiseprune.strengthenings.matching import Matched, matched, matched_with_fitted_leak
from noiseprune.strengthenings.reciprocal import Reciprocal, reciprocal
from noiseprune.strengthenings.regression import Regressed, regressed

__all__ = [
    "STRENGTHENINGS",
    "Draft",
    "Matched",
    "Reciprocal",
    "Regressed",
    "Strengthened",
    "Strengthening",
    "make_strengthening",
    "matched",
    "matched_with_fitted_leak",
    "reciprocal",
    "regressed",
]

# the one table of strengthenings: what `strengthen="name"` makes
STRENGTHENINGS: dict[str, Callable[[], Strengthening]] = {
    "reciprocal": Reciprocal,
    "matched": Matched,
    "regressed": Regressed,
}


def make_strengthening(given: Any) -> Strengthening:
    """Return the strengthening that a name or an object stands for.

    Parameters
    ----------
    given : str or Strengthening
        A name in `STRENGTHENINGS`, or an object with ``apply``.

    Raises
    ------
    InvalidOption
        Where it is neither.
    """
    if isinstance(given, str):
        return STRENGTHENINGS[check_choice("strengthen", given, STRENGTHENINGS)]()
    if isinstance(given, Strengthening):
        return given
    check_protocol("strengthen", given, ("apply",), "strengthenings.Matched()")
    return _Own(given)


class _Own(Strengthening):
    """A user's object that is a strengthening without being of our class."""

    def __init__(self, given: Any) -> None:
        self._given = given
        for name in ("name", "needs", "samples", "remeasures", "gaps", "check", "auto_leak", "cost", "apply"):
            if hasattr(given, name):
                setattr(self, name, getattr(given, name))

    def __repr__(self) -> str:
        return repr(self._given)
