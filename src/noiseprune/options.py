"""Checks of options."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from noiseprune.errors import InvalidOption


def choice(name: str, value: Any, allowed: Iterable[Any]) -> Any:
    """Return `value` where it is one of `allowed`.

    Raises
    ------
    InvalidOption
        Where it is not.
    """
    allowed = tuple(allowed)
    if value not in allowed:
        raise InvalidOption(f"{name} must be one of {', '.join(allowed)}; got {value!r}")
    return value
