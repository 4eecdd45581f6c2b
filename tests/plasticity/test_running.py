import json
import signal

import numpy as np
import pytest

import noiseprune
from noiseprune import Network, gallery
from noiseprune.errors import BadFile, InvalidOption, NoisePruneWarning, UnstableNetwork
from noiseprune.plasticity import checkpoint as keeping
from noiseprune.plasticity.process import Process
from tests.networks import quiet

SHORT = {"window": 40.0, "burn_in": 10.0, "spectrum": False}


@pytest.fixture
def net() -> Network:
    made = gallery.clustered([20, 12], between=15, signed=True, rng=86)
    return Network(made.weights, made.leak + 0.1, labels=[f"n{i}" for i in range(32)])


def same(one: noiseprune.Trace, other: noiseprune.Trace) -> bool:
    """Bit for bit."""
    return (
        np.array_equal(one.network.links.weight, other.network.links.weight)
        and np.array_equal(one.network.leak, other.network.leak)
        and np.array_equal(one.pruned_at, other.pruned_at)
        and one.records == other.records
    )


# --- schedules --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("schedule", ["once", "rounds", "continuous"])
def test_every_schedule_reaches_its_density_and_keeps_what_must_be_kept(net, schedule):
    trace = noiseprune.run(net, until_density=0.5, schedule=schedule, rng=87, **(SHORT | {"spectrum": True}))
    after = trace.network
    assert abs(after.n_links - 0.5 * net.n_links) <= (1 if schedule != "continuous" else 0.02 * net.n_links)
    assert after.symmetric
    assert after.dominant
    assert after.labels == net.labels
    assert np.allclose(after.dominance_margin, net.dominance_margin)
    sign = dict(
        zip(zip(*(part.tolist() for part in net.links[:2]), strict=True), np.sign(net.links.weight), strict=True)
    )
    assert all(sign[i, j] == np.sign(w) for i, j, w in zip(*(part.tolist() for part in after.links), strict=True))
    assert np.array_equal(np.isinf(trace.pruned_at), net.spread(np.isinf(trace.link_pruned_at)))
    assert np.isinf(trace.pruned_at).sum() == after.n_synapses
    assert trace.density[0] == 1
    assert trace.density[-1] == after.n_links / net.n_links
    assert np.all(np.diff(trace.time) > 0)
    assert np.all(np.diff(trace.density) <= 0)
    went = trace.pruned_at[np.isfinite(trace.pruned_at)]
    assert {"once": went.size and np.unique(went).size == 1, "rounds": np.unique(went).size == 5}.get(schedule, True)
    for t, density in zip(trace.time, trace.density, strict=True):
        assert density == np.mean(trace.pruned_at > t)
    last = trace.records[-1]
    assert last["worst_direction"] == pytest.approx(noiseprune.compare(net, after).worst_direction)
    assert last["spectral_abscissa"] < 0
    json.dumps(trace.records, allow_nan=False)
    json.dumps(trace.provenance, allow_nan=False)
    assert "\n" not in repr(trace)


@quiet
def test_a_fixed_constant_decides_alone(net):
    """With K fixed, all schedules end near the count that prune expects at this K."""
    K = noiseprune.prune(net, density=0.5, compare=False).probability.constant
    left = {
        schedule: noiseprune.run(net, K=K, schedule=schedule, rounds=2, rng=88, **SHORT).network.n_links
        for schedule in ("once", "rounds", "continuous")
    }
    spread = np.sqrt(0.25 * net.n_links)
    assert abs(left["once"] - 0.5 * net.n_links) < 5 * spread
    assert left["rounds"] <= left["once"]
    assert left["continuous"] < net.n_links


def test_weights_stay_the_same_on_average():
    """E[W'] = W over runs, in every schedule, whatever the traces say: total weight in standard errors."""
    net = gallery.ring(24, 4, excess=1.0)
    for schedule in ("once", "rounds", "continuous"):
        totals = [
            np.sum(
                noiseprune.run(
                    net, K=0.8, schedule=schedule, window=2.0, burn_in=2.0, spectrum=False, rng=seed
                ).network.links.weight
            )
            for seed in range(89, 109)
        ]
        z = (np.mean(totals) - net.n_links) / (np.std(totals, ddof=1) / np.sqrt(len(totals)))
        assert abs(z) < 5


def test_a_directed_network_keeps_its_leak_and_a_rectified_one_subtracts_its_means():
    net = gallery.excitatory_inhibitory(60, gain=0.5, rng=90)
    trace = noiseprune.run(net, until_density=0.9, activation="rectified", drive=0.3, rng=91, **SHORT)
    assert np.array_equal(trace.network.leak, net.leak)
    assert trace.records[-1]["activity_mean"] > 0.1
    assert trace.provenance["chosen"]["why"]["leak"].startswith("original")


def test_tuning_brings_the_activity_nearer_to_the_originals(net):
    def distance(**options) -> float:
        trace = noiseprune.run(
            net, until_density=0.4, schedule="once", window=400.0, replicas=4, spectrum=False, rng=92, **options
        )
        return noiseprune.compare(net, trace.network).kl_per_neuron

    assert distance(tuning=100.0) < 0.85 * distance()


# --- the same bits ----------------------------------------------------------------------------------------------------


def test_the_number_of_threads_changes_no_bit(net, monkeypatch):
    monkeypatch.setattr("noiseprune.plasticity.process.ALONE", 0)
    one, two = (
        noiseprune.run(net, until_density=0.5, threads=threads, rng=93, **SHORT | {"window": 10.0})
        for threads in (1, 2)
    )
    assert same(one, two)
    assert not same(one, noiseprune.run(net, until_density=0.5, threads=1, rng=94, **SHORT | {"window": 10.0}))


@pytest.mark.parametrize("schedule", ["rounds", "continuous"])
def test_ctrl_c_saves_and_a_resumed_run_goes_on_bit_by_bit(net, schedule, tmp_path, monkeypatch):
    options = {"until_density": 0.5, "schedule": schedule, "tuning": 100.0, "replicas": 2, "rng": 95, **SHORT}
    whole = noiseprune.run(net, **options)
    blocks = iter(range(10_000))
    take = Process.run

    def interrupted(self, n_steps):
        if next(blocks) % 7 == 5:
            signal.raise_signal(signal.SIGINT)
        return take(self, min(n_steps, 313))

    monkeypatch.setattr(Process, "run", interrupted)
    path, interrupts = tmp_path / "run.npz", 0
    while True:
        try:
            resumed = noiseprune.run(net, checkpoint=path, **options)
            break
        except KeyboardInterrupt:
            interrupts += 1
            assert path.exists()
    assert interrupts > 3
    assert same(whole, resumed)
    assert same(whole, noiseprune.run(net, checkpoint=path, **options)), "a run that is done is not run again"


def test_a_second_ctrl_c_goes_through():
    with pytest.raises(KeyboardInterrupt), keeping.interrupts_held() as came:
        signal.raise_signal(signal.SIGINT)
        assert came()
        signal.raise_signal(signal.SIGINT)


def test_the_checkpoint_is_written_once_in_a_while(net, tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "EVERY", 0.0)
    saves = []
    save = keeping.replacing
    monkeypatch.setattr(keeping, "replacing", lambda *args, **given: saves.append(1) or save(*args, **given))
    noiseprune.run(net, until_density=0.5, checkpoint=tmp_path / "run.npz", rng=96, **SHORT)
    assert len(saves) > 10


def test_a_checkpoint_of_another_run_is_refused_with_what_differs(net, tmp_path):
    path = tmp_path / "run.npz"
    noiseprune.run(net, until_density=0.5, checkpoint=path, rng=97, **SHORT)
    for changed, words in (
        ({"rng": 98}, "seed is 97 there and 98 here"),
        ({"window": 41.0}, r"settings window is 40.0 there and 41.0 here"),
        ({"until_density": 0.4}, "schedule targets is"),
        ({"schedule": "continuous"}, "schedule name is Rounds there and Continuous here"),
    ):
        with pytest.raises(BadFile, match=rf"run.npz: is the checkpoint of another run \(.*{words}"):
            noiseprune.run(net, checkpoint=path, **({"until_density": 0.5, "rng": 97} | SHORT | changed))
    other = Network(net.weights, net.leak + 1, labels=net.labels)
    with pytest.raises(BadFile, match="network is .* there and"):
        noiseprune.run(other, until_density=0.5, checkpoint=path, rng=97, **SHORT)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("run.txt", None, "a checkpoint is an .npz file"),
        ("no/run.npz", None, "folder .* does not exist"),
        ("run.npz", b"nothing", "is no readable checkpoint of a run"),
        ("run.npz", {}, "is no checkpoint of a run"),
    ],
)
def test_bad_checkpoints_are_named(net, tmp_path, name, content, words):
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        np.savez(path, x=np.zeros(2))
    with pytest.raises(BadFile, match=words):
        noiseprune.run(net, until_density=0.5, checkpoint=path, **SHORT)


# --- unhappy ----------------------------------------------------------------------------------------------------------


def test_a_network_that_becomes_unstable_is_named_and_its_last_good_state_saved(tmp_path):
    """1/p with the original leak makes an excitatory-inhibitory network unstable at a tenth of its synapses."""
    net = gallery.excitatory_inhibitory(100, gain=0.9, rng=99)
    path = tmp_path / "run.npz"
    options = {
        "until_density": 0.1,
        "schedule": "once",
        "window": 150.0,
        "burn_in": 20.0,
        "checkpoint": path,
        "rng": 100,
    }
    with pytest.raises(UnstableNetwork, match="became unstable at .* after 1 decisions"):
        noiseprune.run(net, **options)
    with np.load(path) as file:
        assert np.all(np.isfinite(file["x"]))
    with pytest.raises(UnstableNetwork, match="became unstable"):
        noiseprune.run(net, **options)


def test_a_network_that_ends_unstable_but_saturates_says_so():
    net = gallery.excitatory_inhibitory(100, gain=0.9, rng=99)
    with pytest.warns(NoisePruneWarning, match="at the end is UNSTABLE: its spectral abscissa is"):
        noiseprune.run(net, until_density=0.1, schedule="once", activation="tanh", window=20.0, burn_in=20.0, rng=101)


def test_a_window_shorter_than_the_slowest_time_constant_warns(net):
    with pytest.warns(NoisePruneWarning, match="window of 0.5 s is shorter than the slowest time constant"):
        noiseprune.run(net, until_density=0.9, **(SHORT | {"window": 0.5}))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "exactly one of until_density and K"),
        ({"until_density": 0.5, "K": 2.0}, "exactly one of until_density and K"),
        ({"until_density": 1.5}, "density must be above 0 and at most 1"),
        ({"until_density": 0.5, "schedule": "twice"}, "schedule must be one of once, rounds, continuous"),
        ({"until_density": 0.5, "rate": 1.0}, "rate and fall belong to schedule='continuous'"),
        ({"until_density": 0.5, "rounds": 0}, "rounds must be a whole number, 1 or more; got 0"),
        ({"until_density": 0.5, "replicas": 1.5}, "replicas must be a whole number"),
        ({"until_density": 0.5, "window": -1.0}, "window must be positive and finite; got -1.0"),
        ({"until_density": 0.5, "burn_in": -1.0}, "burn_in is a time in seconds"),
        (
            {"until_density": 0.5, "rule": "magnitude"},
            "rule magnitude for itself: take one of noise, weight, uniform, activity",
        ),
        ({"until_density": 0.5, "leak": "free"}, "leak must be one of auto, matched, original"),
        ({"until_density": 0.5, "activation": "relu"}, "activation must be one of"),
        ({"until_density": 0.5, "drive": [1.0, 2.0]}, "drive must be a finite number, or one for each of the 32"),
        ({"until_density": 0.5, "tuning": 1.0, "leak": "original"}, "tuning is the matched strengthening drawn out"),
    ],
)
def test_bad_options_are_refused(net, options, words):
    with pytest.raises(InvalidOption, match=words):
        noiseprune.run(net, **options)


def test_without_a_stable_linear_network_times_must_be_given():
    net = Network([[0, 2.0], [2.0, 0]], leak=1.0, activation="tanh")
    with pytest.raises(InvalidOption, match="spectral abscissa .1 1/s.*give window= in seconds"):
        noiseprune.run(net, until_density=1.0)
    with pytest.raises(InvalidOption, match="give burn_in= in seconds"):
        noiseprune.run(net, until_density=1.0, window=5.0)


# --- saving -----------------------------------------------------------------------------------------------------------


def test_a_trace_comes_back_as_it_was_saved(net, tmp_path):
    trace = noiseprune.run(net, until_density=0.5, rng=102, **SHORT)
    trace.save(tmp_path / "trace.npz")
    again = noiseprune.load(tmp_path / "trace.npz")
    assert isinstance(again, noiseprune.Trace)
    assert same(trace, again)
    assert again.provenance == trace.provenance
    assert again.original.labels == net.labels
    trace.save(tmp_path / "trace.parquet")
    import polars as pl

    assert pl.read_parquet(tmp_path / "trace.parquet").to_dicts() == trace.records
    with pytest.raises(BadFile, match=r"exists already"):
        trace.save(tmp_path / "trace.npz")
    with pytest.raises(BadFile, match=r"saved as .npz, all of it, or as .parquet"):
        trace.save(tmp_path / "trace.csv")


@quiet
def test_one_neuron_without_synapses_runs():
    trace = noiseprune.run(Network([[0.0]], leak=1.0), until_density=1.0, window=1.0)
    assert trace.network.n_synapses == 0
