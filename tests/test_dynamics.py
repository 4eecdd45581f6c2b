import numpy as np

from noiseprune import Network, gallery
from noiseprune.dynamics import runs as dynamics
from noiseprune.dynamics.runs import run_both


def test_both_networks_see_what_one_would_see_alone():
    net = gallery.excitatory_inhibitory(20, rng=901)
    other = Network(net.weights * 0.5, net.leak)
    options = {"n_runs": 2, "rng": (5, 6), "step": 0.05, "n_steps": 30, "activation": "rectified"}
    alone = [[x.copy() for x, _ in run_both(n, n, **options)] for n in (net, other)]
    both = [(x.copy(), y.copy()) for x, y in run_both(net, other, **options)]
    np.testing.assert_array_equal([x for x, _ in both], alone[0])
    np.testing.assert_array_equal([y for _, y in both], alone[1])


def test_the_noise_is_shared_whatever_the_precision(monkeypatch):
    """Only the larger of the two networks runs in single precision."""
    net = gallery.clustered([30, 20], between=20, rng=902)
    single = Network(net.weights.astype(np.float32), net.leak)
    fewer = Network(single.weights.multiply(single.weights >= 1e-3), net.leak)
    assert fewer.n_synapses < single.n_synapses
    monkeypatch.setattr(dynamics, "COMPILED_SYNAPSES", single.n_synapses)
    for x, y in run_both(single, fewer, n_runs=1, step=0.05, n_steps=100, rng=(7, 8)):
        last = x.copy(), y.copy()
    assert (last[0].dtype, last[1].dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(last[0], last[1], atol=0.02)
