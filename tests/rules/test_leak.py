import numpy as np
import pytest

from noiseprune import Network, NoisePruneWarning, gallery, prune
from noiseprune.rules import leak
from tests.networks import SYMMETRIC, quiet


@quiet
@pytest.mark.parametrize("name", SYMMETRIC)
def test_matched_leak_keeps_the_balance_of_every_neuron(name):
    net = SYMMETRIC[name]()
    after = prune(net, density=0.8, compare=False, rng=5).network
    balance = after.leak - np.abs(after.weights.toarray()).sum(axis=1)
    original = net.leak - np.abs(net.weights.toarray()).sum(axis=1)
    held = after.leak == leak.floor(net)
    assert np.allclose(balance[~held], original[~held], atol=1e-12)


def test_original_leak_stays():
    net = gallery.excitatory_inhibitory(30, rng=6)
    after = prune(net, density=0.5, leak="original", compare=False).network
    assert np.array_equal(after.leak, net.leak)


def test_a_neuron_that_loses_all_keeps_a_positive_leak_and_is_counted():
    # no excess: with its only synapse gone, nothing would be left of the first neuron's leak
    weights = np.zeros((4, 4))
    weights[0, 1] = weights[1, 0] = 1e-6
    weights[1, 2] = weights[2, 1] = weights[2, 3] = weights[3, 2] = weights[1, 3] = weights[3, 1] = -1.0
    net = Network(weights, np.abs(weights).sum(axis=1))
    with pytest.warns(NoisePruneWarning) as caught:
        result = prune(net, density=0.75, rule="magnitude", leak="matched", rng=7)
    assert any("held at its floor" in str(w.message) for w in caught)
    assert result.network.leak[0] == leak.FLOOR * net.leak[0]
    assert leak.n_floored(net, result.network) == 1
    assert result.comparison.floored_leaks == 1


@quiet
def test_matched_leak_without_dominance_is_held_above_zero():
    net = gallery.excitatory_inhibitory(60, rng=8)
    after = prune(net, density=0.1, strengthen="reciprocal", leak="matched", compare=False).network
    assert leak.n_floored(net, after) > 0
    assert np.all(after.leak > 0)
