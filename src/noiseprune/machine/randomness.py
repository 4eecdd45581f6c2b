"""One seed, recorded, from which separate streams grow.

Probe, draw and comparison get streams of their own, so that changing one leaves the others' numbers as they were.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from noiseprune.errors import InvalidOption

Rng = int | np.random.Generator | None


class Streams(NamedTuple):
    """The generators of one prune, and the seed that makes them again."""

    seed: int
    probe: np.random.Generator
    draw: np.random.Generator
    comparison: np.random.Generator


def seed_from(rng: Rng) -> int:
    """Turn what a user gives as `rng` into the seed that would repeat the run.

    A Generator gives up one number, which becomes the seed; None asks the operating system.

    Raises
    ------
    InvalidOption
        Where it is none of an int, zero or more, a Generator and None.
    """
    if rng is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0] >> 1)
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**63))
    if isinstance(rng, int | np.integer) and not isinstance(rng, bool) and rng >= 0:
        return int(rng)
    raise InvalidOption(f"rng must be a seed (an int, zero or more), a numpy Generator or None; got {rng!r}")


def streams(rng: Rng) -> Streams:
    """Grow the streams of one prune from `rng`."""
    seed = seed_from(rng)
    children = np.random.SeedSequence(seed).spawn(3)
    return Streams(seed, *(np.random.default_rng(child) for child in children))


def generator(rng: Rng) -> np.random.Generator:
    """Return the generator that `rng` stands for; a Generator is used as it is."""
    return rng if isinstance(rng, np.random.Generator) else np.random.default_rng(seed_from(rng))
