"""Scripts for simulators: the network as arrays, and a short program that builds it, runs it and measures it.

Both hold the linear, rectified-linear or tanh network of `noiseprune.network`; the program's functions are meant to
be imported and changed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from noiseprune.network import Network

BRIAN2 = '''"""{n} neurons and {m} synapses for Brian2: dx/dt = -D x + W f(x) + sigma xi, time in seconds."""

import sys
from pathlib import Path

import numpy as np
from brian2 import Network, NeuronGroup, StateMonitor, Synapses, defaultclock, hertz, second

ARRAYS = Path(__file__).with_suffix(".npz")  # i, j (pre, post, from 0), w in 1/s, leak in 1/s, noise_std


def build(dt={dt!r}, seed=0):
    """Build the network; dt in seconds. Returns the neurons and the network that runs them."""
    arrays = np.load(ARRAYS)
    np.random.seed(seed)
    defaultclock.dt = dt * second
    neurons = NeuronGroup(
        len(arrays["leak"]),
        """dx/dt = -D*x + drive + sigma*xi : 1
        drive : Hz
        D : Hz (constant)
        sigma : Hz**0.5 (constant)""",
        method="euler",
    )
    neurons.D = arrays["leak"] * hertz
    neurons.sigma = arrays["noise_std"] * hertz**0.5
    synapses = Synapses(neurons, neurons, "w : Hz (constant)\\ndrive_post = w*{f} : Hz (summed)")
    synapses.connect(i=arrays["i"], j=arrays["j"])
    synapses.w = arrays["w"] * hertz
    return neurons, Network(neurons, synapses)


if __name__ == "__main__":
    duration = float(sys.argv[1]) if len(sys.argv) > 1 else {duration!r}  # in seconds
    neurons, network = build()
    monitor = StateMonitor(neurons, "x", record=True)
    network.add(monitor)
    network.run(duration * second)
    activity = monitor.x[:, monitor.x.shape[1] // 5 :]  # after it has settled
    np.save(ARRAYS.with_suffix(".covariance.npy"), np.cov(activity))
    print(f"mean variance {{activity.var(axis=1).mean():.4g}}")
'''

NEST = '''"""{n} neurons and {m} synapses for NEST 3: dx/dt = -D x + W f(x) + sigma xi.

NEST's {model} obeys tau dX = (-X + {phi}) dt + sqrt(tau) sigma dW, so that tau = 1 / D, the weights are W / D and
its sigma is noise_std / sqrt(D).
"""

import sys
from pathlib import Path

import nest
import numpy as np

ARRAYS = Path(__file__).with_suffix(".npz")  # i, j (pre, post, from 0), w in 1/s, leak in 1/s, noise_std
MS = {ms!r}  # of what NEST calls a millisecond, in a second; NEST knows no step below 0.001 of it


def build(dt={dt!r}, seed=1):
    """Build the network; dt in seconds. NEST counts its nodes from 1."""
    arrays = np.load(ARRAYS)
    leak = arrays["leak"]
    nest.ResetKernel()
    nest.set(resolution=round(MS * dt, 3), rng_seed=seed, use_wfr=False)
    neurons = nest.Create("{model}", len(leak), {{"lambda": 1.0, "mu": 0.0, {more}}})
    neurons.set(tau=list(MS / leak), sigma=list(arrays["noise_std"] / np.sqrt(leak)))
    nest.Connect(
        arrays["i"] + neurons[0].global_id,
        arrays["j"] + neurons[0].global_id,
        "one_to_one",
        {{"synapse_model": "rate_connection_instantaneous", "weight": arrays["w"] / leak[arrays["j"]]}},
    )
    return neurons


if __name__ == "__main__":
    duration = float(sys.argv[1]) if len(sys.argv) > 1 else {duration!r}  # in seconds
    neurons = build()
    recorder = nest.Create("multimeter", params={{"record_from": ["rate"], "interval": nest.resolution}})
    nest.Connect(recorder, neurons)
    nest.Simulate(nest.resolution * max(1, round(MS * duration / nest.resolution)))  # whole steps
    events = recorder.events
    order = np.lexsort((events["times"], events["senders"]))
    activity = events["rate"][order].reshape(len(neurons), -1)
    activity = activity[:, activity.shape[1] // 5 :]  # after it has settled
    np.save(ARRAYS.with_suffix(".covariance.npy"), np.cov(activity))
    print(f"mean variance {{activity.var(axis=1).mean():.4g}}")
'''

SENT = {"linear": "x_pre", "rectified": "clip(x_pre, 0, inf)", "tanh": "tanh(x_pre)"}
RATE_MODELS = {  # model, what it sends, further parameters
    "linear": ("lin_rate_ipn", "sum w X", '"linear_summation": True'),
    "rectified": ("threshold_lin_rate_ipn", "sum w max(0, X)", '"linear_summation": False, "theta": 0.0, "alpha": 1e9'),
    "tanh": ("tanh_rate_ipn", "sum w tanh(X)", '"linear_summation": False'),
}
STEPS_PER_LEAK_TIME = 50  # of the fastest neuron
LEAK_TIMES = 400  # of the median neuron, that the script runs
NEST_STEPS = (1e-3, 1e6)  # in ms, between which NEST counts in milliseconds


def write_brian2(network: Network, path: Path) -> None:
    """Write the script; its arrays are written by `write_arrays`."""
    path.write_text(BRIAN2.format(f=SENT[network.activation], **_times(network)), encoding="utf-8")


def write_nest(network: Network, path: Path) -> None:
    """Write the script; its arrays are written by `write_arrays`."""
    model, phi, more = RATE_MODELS[network.activation]
    path.write_text(NEST.format(model=model, phi=phi, more=more, **_times(network)), encoding="utf-8")


def _times(network: Network) -> dict[str, float]:
    """Choose a step and a duration that suit the leak, and a unit of time in which NEST can count such steps."""
    digit, exponent = f"{1 / (STEPS_PER_LEAK_TIME * network.leak.max()):.0e}".split("e")
    dt = float(f"{digit}e{exponent}")
    return {
        "n": network.n_neurons,
        "m": network.n_synapses,
        "dt": dt,
        "duration": float(f"{LEAK_TIMES / np.median(network.leak):.2g}"),
        "ms": 1000.0
        if NEST_STEPS[0] <= float(f"{digit}e{int(exponent) + 3}") <= NEST_STEPS[1]
        else float(f"1e{-int(exponent)}"),
    }


def write_arrays(network: Network, path: Path) -> None:
    """Write i, j (pre and post, from 0), w, leak and noise_std for a script."""
    post, pre, weight = network.synapses
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            i=pre.astype(np.int64),
            j=post.astype(np.int64),
            w=weight.astype(np.float64),
            leak=network.leak,
            noise_std=network.noise_std,
        )
