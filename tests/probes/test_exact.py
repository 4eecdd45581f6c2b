import numpy as np
import pytest

from noiseprune import Network, gallery, probes
from noiseprune.dynamics.stationary import inverse_lower
from noiseprune.errors import DidNotConverge, TooLarge, UnstableNetwork
from noiseprune.machine import memory
from tests import naive
from tests.laws import as_dict, check_probe


def test_exact_obeys_the_laws(network):
    check_probe(probes.Exact(), network)


def test_exact_agrees_with_the_paper_word_by_word(network):
    A = network.matrix().toarray()
    expected = naive.difference_variance(A, naive.covariance(A, network.noise_std))
    found = as_dict(network, probes.Exact().measure(network).value)
    assert found.keys() == expected.keys()
    for place in found:
        assert abs(found[place] - expected[place]) <= 1e-10 * expected[place]


def test_the_shortcut_for_symmetric_networks_agrees_with_the_lyapunov_equation():
    net = gallery.clustered([40, 20], between=20, signed=True, rng=21)
    general = Network(net.weights, net.leak, symmetric=False)
    ours, theirs = (as_dict(n, probes.Exact().measure(n).value) for n in (net, general))
    assert all(abs(ours[k] - theirs[k]) < 1e-10 * ours[k] for k in ours)


def test_leverages_sum_to_the_neurons_less_the_share_of_the_leak():
    net = gallery.clustered([40, 20], between=20, rng=22)
    leverage = 2 * np.abs(net.links.weight) * probes.Exact().measure(net).per_link
    inverse = np.linalg.inv(-net.matrix().toarray())
    assert np.isclose(leverage.sum(), net.n_neurons - np.sum(net.dominance_margin * inverse.diagonal()))


@pytest.mark.parametrize("symmetric", [True, False])
def test_an_unstable_network_is_refused_with_abscissa_and_remedy(symmetric):
    net = Network([[0, 3.0], [3.0, 0]], leak=1.0, symmetric=symmetric)
    with pytest.raises(UnstableNetwork, match=r"spectral abscissa .* is \+2 1/s .* raise the leak by more than 2 1/s"):
        probes.Exact().measure(net)


def test_a_network_at_the_edge_of_stability_is_refused():
    with pytest.raises(UnstableNetwork, match=r"zero up to rounding|is \+"):
        probes.Exact().measure(gallery.ring(50, excess=0.0))


def test_rates_over_many_orders_are_no_trouble_and_garbage_is_never_returned():
    leak = np.logspace(-7, 7, 50)
    weights = np.zeros((50, 50))
    weights[0, 1] = weights[1, 0] = 1e-9
    assert np.all(probes.Exact().measure(Network(weights, leak)).value > 0)
    chain = Network(np.diag(np.full(59, 3.0), -1), 1.0)
    with pytest.raises((DidNotConverge, UnstableNetwork)):
        probes.Exact().measure(chain)


def test_too_large_a_network_is_refused_with_an_estimate(monkeypatch):
    net = gallery.ring(30)
    with pytest.raises(TooLarge, match=r"dense 30 x 30 matrices \(0 MB\) .*max_neurons=30"):
        probes.Exact(max_neurons=20).measure(net)
    monkeypatch.setattr(memory, "available_bytes", lambda: 1000)
    with pytest.raises(TooLarge, match="the exact probe on 30 neurons needs about"):
        probes.Exact().measure(net)


def test_the_source_names_the_method():
    assert "Cholesky" in probes.Exact().measure(gallery.ring(8)).source
    assert "doubling, relative residual" in probes.Exact().measure(gallery.excitatory_inhibitory(20, rng=23)).source


def test_singular_up_to_rounding_is_no_covariance():
    assert inverse_lower(gallery.ring(50, excess=1e-16)) is None
    assert inverse_lower(gallery.ring(50, excess=1e-6)) is not None
