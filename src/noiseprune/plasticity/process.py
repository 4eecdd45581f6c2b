"""A network that runs with noise, and what every synapse of it knows: the state of a plastic network and its moves."""

from __future__ import annotations

import contextlib
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from noiseprune.errors import UnstableNetwork
from noiseprune.linalg import kernels as linear_kernels
from noiseprune.machine.threads import kernels_alone
from noiseprune.network import ACTIVATIONS, Activation, Network
from noiseprune.plasticity import kernels
from noiseprune.rules import Rule
from noiseprune.rules import leak as balancing

Floats = NDArray[np.float64]

BLOCK = 100_000_000  # synapse updates between looks at the clock and at the keyboard: about half a second
ALONE = 100_000  # synapse updates a step up to which one thread is faster: a third of a millisecond
CLEAR_AWAY = 0.1  # share of pruned synapses from which they are cleared away
TUNING_RATE = 0.1  # of a window: time between steps of the slow tuning
# Activity this many times what a neuron alone would show is no stationary activity. A stable network whose slowest rate
# is a millionth of its leak reaches a thousandth of that.
BOUND = 1e6


class Settings(NamedTuple):
    """How a network runs.

    Attributes
    ----------
    step, window : float, s
        Time step; averaging time of the traces.
    start : int
        The step at which the traces begin.
    replicas : int
        Copies of the network that run at once with noise of their own; a trace is a mean over them.
    activation : "linear", "rectified" or "tanh"
    drive : (n_neurons,) array
        Constant input b.
    rule : Rule
        One with a local form.
    leak : "matched" or "original"
    tuning : float or None, s
        Time constant of the slow tuning; None: none.
    """

    step: float
    window: float
    start: int
    replicas: int
    activation: Activation
    drive: Floats
    rule: Rule
    leak: str
    tuning: float | None


class Process:
    """The state of a running network, and its moves: run, vote, decide, tune.

    Everything that a continuation needs is in `arrays` and `counters`.

    Parameters
    ----------
    network : Network
        The network at its start.
    settings : Settings
        How it runs.
    seed : int
        Of the noise and of the synapses' private numbers.
    """

    def __init__(self, network: Network, settings: Settings, seed: int) -> None:
        self.original = network
        self.settings = settings
        n = network.n_neurons
        every = _every_synapse(network)
        self.arrays: dict[str, Any] = {
            "indptr": every.indptr.astype(np.int64),
            "indices": every.indices.astype(np.int32),
            "link": every.data - 1,
            "weight": network.links.weight.astype(np.float64)[every.data - 1],
            "trace": np.zeros(every.nnz),
            "remembered": np.zeros(every.nnz if settings.tuning is not None else 0),
            "leak": network.leak.copy(),
            "x": np.zeros((n, settings.replicas)),
            "mean": np.zeros(n),
            "variance": np.zeros(n),
            "pruned_at": np.full(network.n_links, np.inf),
        }
        self.counters: dict[str, Any] = {"step": 0, "decisions": 0, "last_decision": 0, "last_tuning": 0, "K": None}
        self._seed = seed
        self._noise_key = _key(seed, 0)
        self._form = tuple(map(float, settings.rule.local or ()))
        self._scratch = tuple(np.empty_like(self.arrays["x"]) for _ in range(3))
        self._settle()

    # --- what can be read -----------------------------------------------------------------------------------------

    @property
    def step(self) -> int:
        """Steps taken."""
        return int(self.counters["step"])

    @property
    def time(self) -> float:
        """Time since the start, s."""
        return self.step * self.settings.step

    @property
    def decisions(self) -> int:
        """How often synapses have decided."""
        return int(self.counters["decisions"])

    @property
    def K(self) -> float | None:  # noqa: N802 - the paper's letter
        """The constant of the last decision."""
        return self.counters["K"]

    @property
    def n_links(self) -> int:
        """Links that are left."""
        return int(np.count_nonzero(np.isinf(self.arrays["pruned_at"])))

    def network(self) -> Network:
        """The network as it is now."""
        a, net = self.arrays, self.original
        stays = a["weight"] != 0
        if net.symmetric:
            post = np.repeat(np.arange(net.n_neurons), np.diff(a["indptr"]))
            stays &= post > a["indices"]
        weight = a["weight"][stays].astype(net.link_matrix.dtype)
        links = sp.csr_array((weight, a["indices"][stays], _rows_of(a["indptr"], stays)), shape=net.link_matrix.shape)
        return net.replace(links=links, leak=a["leak"].copy())

    # --- moves ----------------------------------------------------------------------------------------------------

    def run(self, n_steps: int) -> int:
        """Take up to `n_steps` steps, as many as there are in a block; return how many.

        Raises
        ------
        UnstableNetwork
            Where the next step would leave the bound; the state is the one before it.
        """
        a, s = self.arrays, self.settings
        n_steps = min(n_steps, max(1, BLOCK // max(a["weight"].size * s.replicas, 1)))
        with self._threads():
            done = kernels.run_steps(
                self._synapses,
                a["trace"],
                self._rows,
                (a["leak"], self.original.noise_std * np.sqrt(s.step), s.drive),
                (a["x"], a["mean"], a["variance"]),
                self._scratch,
                ACTIVATIONS.index(s.activation),
                self.step,
                n_steps,
                s.step,
                s.start,
                s.step / s.window,
                s.activation != "linear" or bool(s.drive.any()),
                self._bound,
                self._noise_key,
            )
        self.counters["step"] += done
        if done < n_steps:
            raise UnstableNetwork(self._what_went_wrong())
        return n_steps

    def vote(self, target: float, K: float | None = None) -> float:
        """Find the K at which `target` links would survive if all decided now.

        Each synapse says whether it would, one bit; only the count is looked at, and K is changed until it is right.

        Parameters
        ----------
        target : float
            Links; where fewer can survive at any K, the smallest K that keeps all of these.
        K : float, optional
            Where to begin.
        """
        low, high = 0.0, K or 1.0
        with self._threads():
            while self._votes(high) < target and high < np.finfo(np.float64).max / 2:
                low, high = high, 2 * high
            found = self._votes(high)
            while found != target and low < (middle := (low + high) / 2) < high:
                votes = self._votes(middle)
                if votes < target:
                    low = middle
                else:
                    high, found = middle, votes
        return high

    def decide(self, K: float, share: float = 1.0) -> None:
        """Let a share of the synapses decide: strengthen by 1/p or be pruned, p = min(1, K r); then balance the leak."""
        a, s = self.arrays, self.settings
        if s.tuning is not None and self.decisions == 0:
            a["remembered"] = a["trace"].copy()
            self.counters["last_tuning"] = self.step
        with self._threads():
            kernels.decide(
                self._synapses,
                a["trace"],
                a["variance"],
                self._rows,
                self._form,
                self.original.symmetric,
                K,
                (self._private_key(), _key(self._seed, 2, self.decisions)),
                share,
                a["link"],
                self.time,
                a["pruned_at"],
            )
            self.counters |= {"decisions": self.decisions + 1, "last_decision": self.step, "K": K}
            if np.count_nonzero(a["weight"] == 0) >= CLEAR_AWAY * a["weight"].size:
                self._clear_away()
            self._balance()

    def tune(self) -> None:
        """Take one slow step towards the difference variances that the synapses saw before they first decided.

        W *= (v / v_remembered)^(time since the last step / time constant): the matched strengthening, drawn out.
        """
        a, s = self.arrays, self.settings
        since = self.step - self.counters["last_tuning"]
        with self._threads():
            kernels.tune(a["weight"], a["trace"], a["remembered"], since * s.step / s.tuning)
            self.counters["last_tuning"] = self.step
            self._balance()

    @property
    def next_tuning(self) -> int | None:
        """The step at which the slow tuning is due; None where there is none, or nothing was pruned yet."""
        if self.settings.tuning is None or not self.decisions:
            return None
        every = max(1, round(TUNING_RATE * self.settings.window / self.settings.step))
        return int(self.counters["last_tuning"]) + every

    def restore(self, arrays: dict[str, Any], counters: dict[str, Any]) -> None:
        """Go on from the arrays and counters of another process with the same settings and seed."""
        self.arrays, self.counters = dict(arrays), dict(counters)
        self._settle()

    # --- inside ---------------------------------------------------------------------------------------------------

    def _threads(self) -> contextlib.AbstractContextManager[None]:
        work = self.arrays["weight"].size * self.settings.replicas
        return kernels_alone() if work < ALONE else contextlib.nullcontext()

    def _settle(self) -> None:
        """Note what follows from which synapses there are."""
        a = self.arrays
        self._synapses = (a["indptr"], a["indices"], a["weight"])
        self._rows = linear_kernels.chunks(a["indptr"])
        alone = self.original.noise_std / np.sqrt(self.original.leak) + np.abs(self.settings.drive) / self.original.leak
        self._bound = BOUND * float(alone.max())

    def _clear_away(self) -> None:
        a = self.arrays
        stays = a["weight"] != 0
        a["indptr"] = _rows_of(a["indptr"], stays)
        for name in ("indices", "link", "weight", "trace", "remembered"):
            if a[name].size:
                a[name] = a[name][stays]
        self._settle()

    def _balance(self) -> None:
        """Match each neuron's leak to its total input, where leaks are matched."""
        if self.settings.leak == "matched":
            total = np.empty(self.original.n_neurons)
            kernels.total_input(self._synapses, self._rows, total)
            least = balancing.floor(self.original)
            self.arrays["leak"] = np.maximum(self.original.dominance_margin + total, least)

    def _votes(self, K: float) -> int:
        a, counts = self.arrays, np.empty(linear_kernels.CHUNKS, np.int64)
        symmetric = self.original.symmetric
        kernels.count_votes(
            self._synapses, a["trace"], a["variance"], self._rows, self._form, symmetric, K, self._private_key(), counts
        )
        return int(counts.sum()) // self.original.synapses_per_link

    def _private_key(self) -> np.uint64:
        return _key(self._seed, 1, self.decisions)

    def _what_went_wrong(self) -> str:
        a = self.arrays
        total = np.empty(self.original.n_neurons)
        kernels.total_input(self._synapses, self._rows, total)
        fastest = self.settings.step * float(np.max(a["leak"] + total))
        where = f"at {self.time:.6g} s (step {self.step}), after {self.decisions} decisions, activity left {self._bound:.3g}"
        if fastest > 2:  # Euler's method itself may be unstable
            return (
                f"the run became unstable {where}: strengthened synapses made the network too fast for the time step of "
                f"{self.settings.step:.3g} s; give a step below {self.settings.step / fastest:.2g} s"
            )
        return (
            f"the network became unstable {where}: keep more synapses, prune in more rounds, let the leak be matched "
            "(leak='matched', where every neuron is dominant), or raise the leak"
        )


def _every_synapse(network: Network) -> sp.csr_array:
    """Every synapse, both directions of a pair, with the number of its link, from one, in place of its weight."""
    csr = network.link_matrix
    numbers = sp.csr_array((np.arange(1, csr.nnz + 1), csr.indices.copy(), csr.indptr.copy()), shape=csr.shape)
    every = sp.csr_array(numbers + numbers.T) if network.symmetric else numbers
    every.sort_indices()
    return every


def _rows_of(indptr: NDArray[np.int64], stays: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Row pointers of the entries that stay."""
    return np.concatenate([[0], np.cumsum(stays)])[indptr]


def _key(*numbers: int) -> np.uint64:
    """Make a key of 64 bits for a stream of hashes."""
    return np.uint64(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0])
