"""Who does the draws of a sweep: this process, or several."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from noiseprune.errors import InvalidOption, NoisePruneError, NoisePruneWarning
from noiseprune.experiments.table import Case, measures_of
from noiseprune.machine.processes import in_workers
from noiseprune.machine.randomness import streams
from noiseprune.machine.threads import limit_threads
from noiseprune.measure.compare import Reference
from noiseprune.measure.snapshots import Camera
from noiseprune.network import Network

PICTURE = "picture"  # what the first draw of each choice carries beside its measures


_worker: Worker


class Worker:
    """One process's share: the original's side of the comparison is computed once."""

    def __init__(self, network: Network, seed: int, keep_connected: bool) -> None:
        self.network = network
        self.seed = seed
        self.keep_connected = keep_connected
        self.first = Reference(network, rng=streams(seed).comparison)
        self.references = {seed: self.first}

    @cached_property
    def camera(self) -> Camera:
        """Takes the pictures, all in one order."""
        return Camera(self.network)

    def reference(self, seed: int) -> Reference:
        """Return the original's side of the comparison, with the inputs of a draw."""
        if seed not in self.references:
            self.references[seed] = self.first.with_inputs(streams(seed).comparison)
        return self.references[seed]

    def __call__(self, case: Case) -> Case:
        """Prune and compare once; an error that we raise on purpose is part of the table."""
        import warnings

        from noiseprune.pruning.pipeline import prune

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NoisePruneWarning)  # what they say is in the table
            try:
                result = prune(
                    self.network,
                    density=case["target_density"],
                    rule=case["rule"],
                    strengthen=case["strengthen"],
                    keep_connected=self.keep_connected,
                    compare=False,
                    rng=case["seed"],
                )
                found = case | {"refused": None} | measures_of(self.reference(case["seed"]).compare(result.network))
                return found if case["draw"] else found | {PICTURE: self.camera.take(result.network)}
            except InvalidOption:
                raise
            except NoisePruneError as error:
                return case | {"refused": str(error)}


def draw_seed(seed: int, draw: int) -> int:
    """Give each draw a seed that all its densities, rules and strengthenings share, so that they see the same uniforms.

    The first draw has the seed of the sweep.
    """
    return int(np.random.SeedSequence(seed, spawn_key=(draw,)).generate_state(1, np.uint32)[0]) if draw else seed


def run_cases(network: Network, seed: int, keep_connected: bool, cases: list[Case], workers: int) -> Iterator[Case]:
    """Do the draws, one after the other or in several processes, in the order in which they are given.

    Parameters
    ----------
    network : Network
        The original.
    seed : int
        Of the sweep; each draw has its own from it.
    keep_connected : bool
        As in `prune`.
    cases : list of dict
        The draws to do: density, rule, strengthening, seed.
    workers : int
        Processes; 1 stays in this one.

    Returns
    -------
    iterator of dict
        Each case with what was measured, or why it was refused.
    """
    if workers == 1 or len(cases) < 2:
        return map(Worker(network, seed, keep_connected), cases)
    return in_workers(workers, _work, cases, _start, (network, seed, keep_connected))


def _start(network: Network, seed: int, keep_connected: bool) -> None:
    global _worker
    _worker = Worker(network, seed, keep_connected)


def _work(case: Case) -> Case:
    with limit_threads(1):  # many processes, one thread each
        return _worker(case)
