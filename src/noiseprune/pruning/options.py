"""How to prune: the options of `noiseprune.prune` beside how much, declared once.

Nothing here is heavy, so that the command line can show its help quickly.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from noiseprune.machine.declared import declared

if TYPE_CHECKING:
    from noiseprune.probes import Probe
    from noiseprune.rules import Rule
    from noiseprune.strengthenings import Strengthening

OLD_LEAKS = {"free": "fitted"}  # names of the first release


@dataclass(frozen=True)
class PruneOptions:
    """How to prune; see `noiseprune.prune`, whose parameters these are. Names, or objects."""

    probe: str | Probe = declared("auto, exact, sketched or simulated.", default="auto", cli=str)
    rule: str | Rule = declared("noise, weight, uniform, magnitude or activity.", default="noise", cli=str)
    strengthen: str | Strengthening = declared("auto, reciprocal, matched or regressed.", default="auto", cli=str)
    leak: str = declared("auto, matched, original or fitted.", default="auto")
    draw: str = declared("independent or fixed (exactly the number asked for).", default="independent")
    keep_connected: bool = declared("Keep a spanning forest inside the same budget.", default=False)
    beyond_theorem: bool = declared("Use the formula of --epsilon where its theorem does not hold.", default=False)

    def __post_init__(self) -> None:
        """Take old names for what they are called now."""
        object.__setattr__(self, "leak", OLD_LEAKS.get(self.leak, self.leak))

    def record(self) -> dict[str, Any]:
        """Return what was asked for, fit for strict JSON; an object as it prints."""
        asked = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: value if isinstance(value, str | bool) else repr(value) for name, value in asked.items()}
