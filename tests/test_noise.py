"""Whatever reads noise_std reads it right: unequal, and not one."""

import numpy as np
import pytest

import noiseprune
from noiseprune import Network, compare, gallery, prune, rules
from noiseprune.dynamics import runs as dynamics
from noiseprune.dynamics.ensembles import SAMPLES, second_moments
from noiseprune.measure.compare import Reference
from noiseprune.plasticity.process import Process, Settings
from noiseprune.probes import Exact, Recorded, Simulated, Sketched
from noiseprune.rules import draw as drawing
from noiseprune.rules.budget import constant_from_epsilon
from noiseprune.strengthenings import matched_with_fitted_leak
from tests import naive
from tests.networks import quiet

pytestmark = quiet


def noisy(net: Network, noise: object = None) -> Network:
    """The same network with unequal noise, or the noise given, and leaks that leave a margin."""
    noise = np.linspace(0.5, 2.0, net.n_neurons) if noise is None else noise
    return Network(net.weights, 1.1 * net.leak, noise, symmetric=net.symmetric)


SYMMETRIC = gallery.clustered([8, 6], within=0.8, between=8, signed=True, rng=61)
DIRECTED = gallery.excitatory_inhibitory(14, connection=0.4, rng=62)
BOTH = pytest.mark.parametrize("net", [noisy(SYMMETRIC), noisy(DIRECTED)], ids=["symmetric", "directed"])


def expected(net: Network) -> np.ndarray:
    """v of every link, from the Lyapunov equation solved as n^2 linear equations."""
    A = net.matrix().toarray()
    v = naive.difference_variance(A, naive.covariance(A, net.noise_std))
    return np.array([v[i, j] for i, j in zip(*net.links[:2], strict=True)])


@BOTH
@pytest.mark.parametrize(
    "probe", [Exact(), Sketched(samples=600), Simulated(replicas=100, duration=30.0)], ids=lambda p: type(p).__name__
)
def test_every_probe_measures_with_unequal_noise(net, probe):
    found = probe.measure(net, rng=63)
    error = 1e-9 if found.n_samples is None else 5 * np.sqrt(2 / found.n_samples) + 0.02
    np.testing.assert_allclose(found.per_link, expected(net), rtol=error)


def test_recorded_activity_brings_its_own_noise():
    net = noisy(SYMMETRIC)
    factor = np.linalg.cholesky(naive.covariance(net.matrix().toarray(), net.noise_std))
    activity = np.random.default_rng(64).standard_normal((20_000, net.n_neurons)) @ factor.T
    louder = net.replace(noise_std=7 * net.noise_std)
    found = Recorded(activity).measure(net).per_link
    np.testing.assert_allclose(found, expected(net), rtol=0.08)
    assert np.array_equal(found, Recorded(activity).measure(louder).per_link)


@pytest.mark.parametrize("net", [SYMMETRIC, noisy(SYMMETRIC), DIRECTED], ids=["equal", "unequal", "directed"])
@pytest.mark.parametrize("probe", [Exact(), Sketched(), Simulated(replicas=4)], ids=lambda p: type(p).__name__)
def test_v_grows_with_the_square_of_the_noise(net, probe):
    quiet_ones, loud = (probe.measure(net.replace(noise_std=k * net.noise_std), rng=65).per_link for k in (1, 3))
    np.testing.assert_allclose(loud, 9 * quiet_ones, rtol=1e-4)


def test_the_constant_of_an_epsilon_falls_with_the_variance_of_the_noise():
    n = SYMMETRIC.n_neurons
    assert constant_from_epsilon(0.5, noisy(SYMMETRIC, 3.0)) == pytest.approx(8 * np.log(n) / (0.25 * 9))
    unequal = noisy(SYMMETRIC)
    assert constant_from_epsilon(0.5, unequal) == pytest.approx(8 * np.log(n) / (0.25 * np.mean(unequal.noise_std**2)))


def test_louder_noise_changes_neither_what_an_epsilon_keeps_nor_the_epsilon_of_the_record():
    one, other = (prune(noisy(SYMMETRIC, sigma), epsilon=0.9, rng=66) for sigma in (1.0, 4.0))
    assert np.array_equal(one.kept, other.kept)
    for result in (one, other):
        assert result.provenance["theorem"]["epsilon"] == pytest.approx(0.9)


@BOTH
def test_second_moments_of_slow_noise(net):
    response = np.linalg.inv(net.matrix().toarray())
    exact = response @ np.diag(net.noise_std**2) @ response.T
    np.testing.assert_allclose(second_moments(net, "slow").matrix, exact, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        second_moments(net, "stationary").matrix,
        naive.covariance(net.matrix().toarray(), net.noise_std),
        rtol=1e-8,
        atol=1e-9,
    )
    sampled = second_moments(net, dense_limit=0, rng=67).block(np.arange(net.n_neurons))
    np.testing.assert_allclose(sampled.diagonal(), exact.diagonal(), rtol=5 * np.sqrt(2 / SAMPLES))


def test_matched_weights_see_the_noise_of_the_network():
    report = prune(noisy(SYMMETRIC), density=1.0, strengthen="matched", compare=False).provenance["chosen"]
    assert report["strengthening"]["mismatch_before"] < 1e-9


def test_a_free_leak_is_the_same_at_any_level_of_noise():
    one, other = (
        matched_with_fitted_leak(net, net.link_matrix) for net in (noisy(SYMMETRIC, 1.0), noisy(SYMMETRIC, 5.0))
    )
    np.testing.assert_allclose(one.leak, other.leak, rtol=1e-12)


@BOTH
def test_regressed_weights_depend_on_which_neuron_is_loud_and_not_on_how_loud_all_are(net):
    def weights(noise: object) -> np.ndarray:
        pruned = prune(net.replace(noise_std=noise), density=0.6, rule="weight", strengthen="regressed", compare=False)
        return pruned.network.weights.toarray()

    np.testing.assert_allclose(weights(net.noise_std), weights(4 * net.noise_std), rtol=1e-6, atol=1e-9)
    assert not np.allclose(weights(net.noise_std), weights(np.ones(net.n_neurons)), rtol=1e-3)


@BOTH
@pytest.mark.parametrize("louder", [1.0, 1.5])
def test_covariance_error_and_kl_are_their_definitions(net, louder):
    after = net.replace(leak=1.3 * net.leak, noise_std=louder * net.noise_std)
    check_covariances(net, after)


def test_covariance_error_and_kl_of_equal_noise_that_changes():
    net = noisy(SYMMETRIC, 2.0)
    check_covariances(net, net.replace(leak=1.3 * net.leak, noise_std=np.full(net.n_neurons, 3.0)))


def check_covariances(net: Network, after: Network) -> None:
    C, D = (naive.covariance(one.matrix().toarray(), one.noise_std) for one in (net, after))
    found = compare(net, after)
    assert found.covariance_error == pytest.approx(np.linalg.norm(D - C) / np.linalg.norm(C), rel=1e-6)
    kl = np.trace(np.linalg.solve(D, C)) - len(C) + np.linalg.slogdet(D)[1] - np.linalg.slogdet(C)[1]
    assert found.kl_per_neuron == pytest.approx(kl / 2 / len(C), rel=1e-6)


@BOTH
def test_runs_are_driven_by_the_noise_of_each_neuron(net):
    after = net.replace(leak=1.3 * net.leak)
    reference = Reference(net, rng=68)
    step = dynamics.safe_step(net, after)
    drive = np.random.default_rng(reference._responses._seeds[2]).standard_normal((net.n_neurons, 5))
    random = np.random.default_rng(reference._responses._seeds[3])
    states, difference, size = [np.zeros_like(drive), np.zeros_like(drive)], 0.0, 0.0
    for _ in range(int(np.ceil(10 / np.median(net.leak) / step))):
        xi = random.standard_normal(drive.shape)
        for k, one in enumerate((net, after)):
            slope = one.matrix().toarray() @ states[k] + drive
            states[k] = states[k] + step * slope + np.sqrt(step) * one.noise_std[:, None] * xi
        difference += np.sum((states[1] - states[0]) ** 2)
        size += np.sum(states[0] ** 2)
    found = reference.compare(after).trajectory_error["linear"]
    assert found == pytest.approx(np.sqrt(difference / size), rel=1e-9)


@BOTH
def test_a_plastic_network_runs_with_the_noise_of_each_neuron(net):
    step = dynamics.safe_step(net) / 4
    settings = Settings(step, 1e6, 4000, 200, "linear", np.zeros(net.n_neurons), rules.Noise(), "original", None)
    process = Process(net, settings, 69)
    while process.step < 20_000:
        process.run(20_000 - process.step)
    trace = np.zeros(net.n_links)
    trace[process.arrays["link"]] = process.arrays["trace"]
    np.testing.assert_allclose(trace, expected(net), rtol=0.1)


def test_a_plastic_network_may_be_loud():
    net = noisy(gallery.ring(12, 2, excess=1.0), 1e8)
    assert noiseprune.run(net, until_density=0.5, schedule="once", window=5.0, burn_in=2.0).network.n_synapses > 0


def test_the_fixed_draw_takes_neighbours_together_too():
    p = np.full(10, 0.5)
    together = [drawing.fixed(p, np.random.default_rng(seed))[:2].all() for seed in range(60)]
    assert any(together)  # in the order given, one mark of the ruler falls on every two neighbours
