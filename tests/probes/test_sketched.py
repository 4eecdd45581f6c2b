import numpy as np
import pytest
import scipy.sparse as sp

from noiseprune import Network, gallery, probes
from noiseprune.errors import DidNotConverge, InvalidOption, TooLarge, UnstableNetwork
from noiseprune.machine import memory
from tests.laws import check_probe
from tests.networks import ALL


def test_sketched_obeys_the_laws(network):
    check_probe(probes.Sketched(samples=200), network)


def bias(net: Network, probe: probes.Probe) -> float:
    """Mean relative error over the links, in units of its standard error if the links were one sample's worth."""
    return float(np.mean(probe.measure(net, rng=72).per_link / probes.Exact().measure(net).per_link) - 1)


@pytest.mark.parametrize("name", ["clustered", "clustered signed", "excitatory-inhibitory", "directed clustered"])
def test_many_samples_leave_no_bias(name):
    """4 000 samples: a mean over links that share no more than a few modes is right to 2 sqrt(2 / 4000) and the bias."""
    assert abs(bias(ALL[name](), probes.Sketched(samples=4000, bias=0.005))) < 2 * np.sqrt(2 / 4000) + 0.005


def bridge(weight: float) -> Network:
    """Two clusters joined by a single synapse: all of its difference variance lies in one slow mode."""
    net = gallery.clustered([300, 400], within=0.1, between=0, rng=73)
    links, leak = net.link_matrix.tolil(), net.leak.copy()
    links[300, 0] = weight
    leak[[0, 300]] += weight
    return Network.from_links(sp.csr_array(links.tocsr()), leak, net.noise_std, symmetric=True)


@pytest.mark.parametrize(
    "net", [bridge(0.05), bridge(1e-4), gallery.sheet(20, 20, rng=74)], ids=["bridge", "weak", "sheet"]
)
def test_unfinished_solves_leave_no_bias_on_any_link(net):
    quick, exact = (probes.Sketched(bias=b).measure(net, rng=75).per_link for b in (0.02, 1e-8))
    assert np.max(np.abs(quick / exact - 1)) < 0.02


def test_leverages_sum_to_what_is_known():
    report = probes.Sketched().measure(gallery.clustered([200, 100], between=50, rng=76), rng=77).report
    off = report["leverage_sum"] - report["leverage_expected"]
    assert abs(off) < 5 * report["leverage_standard_error"]
    assert report["iterations"]


def test_error_asks_for_as_many_samples_as_it_takes():
    assert probes.Sketched(error=0.1).n_samples == 200
    measured = probes.Sketched(error=0.1).measure(gallery.ring(50), rng=78)
    assert np.allclose(measured.standard_error, 0.1 * measured.value)


def test_the_chain_counts_what_its_states_are_worth():
    """Successive states are alike, so the chain makes more of them than the samples it reports."""
    net = gallery.excitatory_inhibitory(200, rng=79)
    measured = probes.Sketched(samples=300).measure(net, rng=80)
    assert 300 <= measured.n_samples <= measured.report["states"]
    relative = measured.per_link / probes.Exact().measure(net).per_link - 1
    assert np.std(relative) < 1.3 * np.sqrt(2 / measured.n_samples)


def test_light_damping_takes_more_shifts_and_comes_out_right():
    random = np.random.default_rng(81)
    weights = 0.02 * random.standard_normal((60, 60))
    for k in range(0, 60, 2):
        weights[k, k + 1], weights[k + 1, k] = -3.0, 3.0
    np.fill_diagonal(weights, 0)
    net = Network(weights, leak=0.3)
    measured = probes.Sketched(samples=1000).measure(net, rng=82)
    assert abs(np.mean(measured.per_link / probes.Exact().measure(net).per_link) - 1) < 0.05


@pytest.mark.parametrize(
    "net",
    [
        gallery.ring(50, excess=0.0),
        Network([[0, 3.0], [3.0, 0]], leak=1.0),
        Network([[0, 3.0], [2.0, 0]], leak=1.0),
        gallery.excitatory_inhibitory(100, gain=1.05, rng=83),
    ],
    ids=["singular", "symmetric", "directed", "excitatory-inhibitory"],
)
def test_an_unstable_network_is_refused_with_the_remedy(net):
    with pytest.raises(UnstableNetwork, match="raise the leak by more than"):
        probes.Sketched().measure(net)


def test_a_nearly_singular_network_gets_an_answer():
    net = gallery.ring(300, 2, excess=1e-9)
    measured = probes.Sketched(samples=400).measure(net, rng=84)
    expected = probes.Exact().measure(gallery.ring(300, 2, excess=1e-6)).per_link
    assert abs(np.mean(measured.per_link / expected) - 1) < 0.03


def test_memory_that_will_not_suffice_is_refused_before_it_starts(monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 1000)
    with pytest.raises(TooLarge, match="the sketched probe on 100 synapses needs about"):
        probes.Sketched().measure(gallery.ring(50))


def test_a_chain_that_does_not_mix_says_so(monkeypatch):
    monkeypatch.setattr("noiseprune.probes.chain.MAX_SHIFTS", 1)
    with pytest.raises(DidNotConverge, match="start is still .* after 1 shifts"):
        probes.Sketched().measure(gallery.excitatory_inhibitory(100, rng=85))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": 5, "error": 0.1}, "samples or error, not both"),
        ({"samples": 0}, "whole number"),
        ({"error": 2.0}, "relative standard error"),
        ({"bias": 0.0}, "bias is a share"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options, message):
    with pytest.raises(InvalidOption, match=message):
        probes.Sketched(**options)


def test_a_network_without_synapses_has_nothing_to_measure():
    assert probes.Sketched().measure(Network(np.zeros((3, 3)), leak=1.0)).value.size == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_of_any_precision_and_size_give_the_same(dtype):
    net = gallery.clustered([60, 40], between=40, rng=86)
    expected = probes.Sketched().measure(net, rng=87).per_link
    for scale in (1.0, 1e-3, 1e33 if dtype is np.float64 else 1e3):
        other = Network((net.weights * scale).astype(dtype), net.leak * scale * (1 + 1e-5))
        found = probes.Sketched().measure(other, rng=87).per_link * scale
        assert np.allclose(found, expected, rtol=0.05)
