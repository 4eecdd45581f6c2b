"""Why a measure is missing; numbers that are none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NO_STATIONARY_STATE = "no stationary state is left"
OF_SYMMETRIC = "a measure of symmetric networks"
OUT_OF_RANGE = "it leaves the range of numbers"


@dataclass
class Reasons:
    """Why some measures are missing."""

    reasons: dict[str, str] = field(default_factory=dict)

    def skip(self, name: str, why: str) -> float | None:
        """Note why a measure is missing; return the None that stands in its place."""
        self.reasons.setdefault(name, why)
        return None

    def missing(self, found: dict[str, Any]) -> dict[str, str]:
        """Return name -> why for what is None among these measures; one name where a whole dict is, for one reason."""
        missing: dict[str, str] = {}
        for name, value in found.items():
            if name == "spectra":
                continue
            if value is None:
                missing[name] = self._why(name, name.removesuffix("_interval"))
            elif isinstance(value, dict):
                whys = {key: self._why(f"{name}.{key}", name) for key, entry in value.items() if entry is None}
                whole = len(whys) == len(value) and len(set(whys.values())) == 1
                missing |= {name: min(whys.values())} if whole else {f"{name}.{key}": why for key, why in whys.items()}
        return missing

    def _why(self, *names: str) -> str:
        return next((self.reasons[name] for name in names if name in self.reasons), OUT_OF_RANGE)


def number(value: Any) -> float | None:
    """Return a finite number; None where it is none."""
    return float(value) if np.isfinite(value) else None


def ratio(part: float, whole: float, reasons: Reasons) -> float | None:
    """Return the kept share; None where there was nothing to keep.

    Parameters
    ----------
    part, whole : float
        What is kept, and of how much.
    reasons : Reasons
        Told where there is no share.
    """
    return part / whole if whole else reasons.skip("density", "the original has no synapses")


def relative(changed: Floats, original: Floats) -> float | None:
    """Return |changed - original| / |original|."""
    return number(np.linalg.norm(changed - original) / np.linalg.norm(original))
