import numpy as np
import pytest

from noiseprune import Network, gallery, probes
from noiseprune.errors import DidNotConverge, InvalidOption, TooLarge
from noiseprune.machine import memory
from noiseprune.probes.simulated import step_bias
from tests.laws import as_dict, check_probe


def test_simulated_obeys_the_laws(network):
    """The slowest mode of the positive clusters takes a thousand seconds of their time, and four of ours."""
    check_probe(probes.Simulated(), network)


def test_a_rectified_network_in_a_known_active_set_has_the_covariance_of_its_active_submatrix():
    """The drive holds two of three neurons far above zero and the others far below, where they send nothing."""
    net = gallery.excitatory_inhibitory(60, gain=0.5, rng=91)
    active = np.flatnonzero(np.arange(60) % 3)
    weights = net.weights.toarray()
    aim = np.full(60, -50.0)
    aim[active] = 50.0
    drive = net.leak * aim - weights @ np.maximum(aim, 0)
    inside = Network(weights[np.ix_(active, active)], net.leak[active])
    expected = as_dict(inside, probes.Exact().measure(inside).value)
    # the active network has slow modes of its own, and starts from rest far from its fixed point
    measured = probes.Simulated(activation="rectified", drive=drive, burn_in=60, duration=100).measure(net, rng=92)
    found = as_dict(net, measured.value)
    ratio = np.array([found[int(active[i]), int(active[j])] / v for (i, j), v in expected.items()])
    spread = np.sqrt(2 / measured.n_samples)
    assert abs(np.mean(ratio) - 1) < 2 * spread
    assert np.all(np.abs(ratio - 1) < 6 * spread)


def test_rectified_without_drive_is_another_network_than_linear():
    net = gallery.excitatory_inhibitory(40, rng=93)
    linear, rectified = (
        probes.Simulated(activation=f, duration=50).measure(net, rng=94) for f in ("linear", "rectified")
    )
    assert "rectified" in rectified.source
    assert np.mean(rectified.per_link) < 0.95 * np.mean(linear.per_link)


def test_a_large_mean_does_not_spoil_the_variance():
    net = Network([[0, 0.5], [0.5, 0]], leak=1.0)
    measured = probes.Simulated(drive=1e5, duration=500, burn_in=50).measure(net, rng=95)
    assert abs(measured.value[0] * 1.5 - 1) < 4 * np.sqrt(2 / measured.n_samples)


def test_the_bias_of_the_step_is_what_it_says():
    """One neuron pair with a long step: Heun's stationary variance against the formula, in closed form."""
    y = 0.8
    grow, noise = 1 - y + y**2 / 2, 1 - y / 2
    assert np.isclose(y * noise**2 / (1 - grow**2) / 0.5 - 1, step_bias(y))
    net = Network([[0, 1e-12], [1e-12, 0]], leak=1.0)
    measured = probes.Simulated(replicas=2000, step=y, duration=400).measure(net, rng=96)
    assert abs(measured.value[0] / (1 + step_bias(y)) - 1) < 4 * np.sqrt(2 / measured.n_samples)
    assert measured.report["step_bias_of_the_fastest_linear_mode"] == pytest.approx(step_bias(y), rel=1e-6)


def test_an_unstable_network_that_saturates_needs_a_burn_in():
    net = gallery.excitatory_inhibitory(40, gain=1.5, rng=97)
    with pytest.raises(InvalidOption, match="give burn_in="):
        probes.Simulated(activation="tanh").measure(net)
    assert np.all(probes.Simulated(activation="tanh", burn_in=20, duration=5).measure(net).value > 0)


def test_a_run_that_explodes_is_no_result():
    net = gallery.excitatory_inhibitory(40, gain=5.0, rng=98)
    with pytest.raises(DidNotConverge, match="left the range of numbers"):
        probes.Simulated(burn_in=500).measure(net)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"replicas": 1}, "replicas must be"),
        ({"step": 0}, "step is a time"),
        ({"duration": -1}, "duration is a time"),
        ({"activation": "relu"}, "activation must be one of"),
        ({"drive": [1.0, 2.0]}, "drive must be"),
        ({"burn_in": 1e9}, "the limit is"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options, message):
    with pytest.raises(InvalidOption, match=message):
        probes.Simulated(**options).measure(gallery.ring(20))


def test_memory_that_will_not_suffice_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 1000)
    with pytest.raises(TooLarge, match="simulating 64 replicas needs about"):
        probes.Simulated().measure(gallery.ring(20))


def test_large_networks_run_compiled_and_agree(monkeypatch):
    net = gallery.excitatory_inhibitory(60, rng=99)
    plain = probes.Simulated().measure(net, rng=100)
    monkeypatch.setattr("noiseprune.dynamics.runs.COMPILED_SYNAPSES", 0)
    assert np.allclose(probes.Simulated().measure(net, rng=100).value, plain.value, rtol=1e-9)
