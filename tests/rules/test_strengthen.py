import numpy as np
import pytest
import scipy.optimize
import scipy.sparse as sp

from noiseprune import Network, compare, gallery, probes, prune
from noiseprune.dynamics.ensembles import second_moments
from noiseprune.errors import InvalidOption, TooLarge, UnstableNetwork
from noiseprune.linalg.moments import SampleMoments
from noiseprune.strengthenings import Matched, matching, regressed, regression
from noiseprune.strengthenings.regression import refit_rows
from tests.networks import quiet

SIGNED = gallery.clustered([60, 20, 40], within=0.6, between=60, signed=True, rng=601)
POSITIVE = gallery.clustered([60, 20, 40], within=0.6, between=60, rng=602)


def plain(network, density=0.3, rng=603, **options):
    return prune(network, density=density, rng=rng, **options)


# --- matched


@quiet
@pytest.mark.parametrize("network", [SIGNED, POSITIVE], ids=["signed", "positive"])
def test_matched_beats_one_over_p_on_the_same_wiring(network):
    worst = []
    for seed in range(10):
        reciprocal, matched = (plain(network, strengthen=name, rng=seed) for name in ("reciprocal", "matched"))
        assert np.array_equal(reciprocal.kept, matched.kept)
        before, after = reciprocal.comparison, matched.comparison
        worst.append((before.worst_direction, after.worst_direction))
        assert after.kl_per_neuron < 0.8 * before.kl_per_neuron
        assert after.sign_flips == 0
        assert matched.network.dominant
        report = matched.provenance["chosen"]["strengthening"]
        assert report["mismatch_after"] < 0.5 * report["mismatch_before"]
    before, after = np.mean(worst, axis=0)
    assert after < 0.8 * before


def test_matched_with_everything_kept_changes_nothing():
    result = plain(SIGNED, density=1.0, strengthen="matched")
    assert np.allclose(result.network.links.weight, SIGNED.links.weight, rtol=1e-9)


def convex_optimum(network, links, free_leak):
    """Maximise log det J - (2 / sigma^2) tr(J C) over the kept weights (and excess), by a general solver."""
    C = np.linalg.inv(-network.matrix().toarray())  # (2 / sigma^2) C
    post, pre, weight = links
    sign, n, m = np.sign(weight), network.n_neurons, weight.size
    excess = network.dominance_margin

    def assembled(x):
        J = np.zeros((n, n))
        for i, j, s, theta in zip(post, pre, sign, x[:m], strict=True):
            J[[i, j], [i, j]] += theta
            J[[i, j], [j, i]] -= s * theta
        return J + np.diag(x[m:] if free_leak else excess)

    def objective(x):
        matrix = assembled(x)
        determinant_sign, value = np.linalg.slogdet(matrix)
        if determinant_sign <= 0:
            return 1e9, np.zeros_like(x)
        D = np.linalg.inv(matrix) - C
        slope = [D[i, i] + D[j, j] - 2 * s * D[i, j] for i, j, s in zip(post, pre, sign, strict=True)]
        if free_leak:
            slope += list(D.diagonal())
        return -value + np.sum(matrix * C), -np.array(slope)

    start = np.concatenate([np.abs(weight), excess + 0.05 if free_leak else []])
    found = scipy.optimize.minimize(
        objective,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(1e-9, None)] * start.size,
        options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-9},
    )
    return C, found.fun


def divergence(J, C):
    return float(-np.linalg.slogdet(J)[1] + np.sum(J * C))


@quiet
@pytest.mark.parametrize("free_leak", [False, True], ids=["matched leak", "free leak"])
def test_the_fixed_point_of_matched_is_the_optimum_of_a_convex_problem(monkeypatch, free_leak):
    monkeypatch.setattr(matching, "FITTED_STEPS", 5000)
    monkeypatch.setattr(matching, "FITTED_TOLERANCE", 1e-9)
    base = gallery.clustered([10, 6], within=0.7, between=6, signed=True, rng=604)
    net = Network(base.weights, base.leak + 0.05)
    how = Matched(steps=400, leak="fitted" if free_leak else None)
    result = plain(net, density=0.6, strengthen=how, keep_connected=True)
    C, value = convex_optimum(net, result.network.links, free_leak)
    found = -result.network.matrix().toarray()
    assert divergence(found, C) == pytest.approx(value, abs=1e-5)
    inverse = np.linalg.inv(found)
    v = probes.Exact().measure(net).per_link[result.kept_links]
    post, pre, weight = result.network.links
    alive = np.abs(weight) > 1e-6  # weights that go to zero need not match
    now = (inverse[post, post] + inverse[pre, pre] - 2 * np.sign(weight) * inverse[post, pre]) / 2
    assert np.allclose(now[alive], v[alive], rtol=1e-3)


@quiet
def test_a_free_leak_matches_the_variance_of_every_neuron_and_goes_further():
    matched, free = (plain(SIGNED, strengthen="matched", leak=leak) for leak in ("auto", "free"))
    report = free.provenance["chosen"]["strengthening"]
    assert report["mismatch_after"] < 0.1 * report["mismatch_before"]
    assert report["steps"] <= matching.FITTED_STEPS
    assert free.comparison.eigenvalue_error["median"] < matched.comparison.eigenvalue_error["median"]
    assert free.comparison.kl_per_neuron < matched.comparison.kl_per_neuron
    variance = [np.linalg.inv(-n.matrix().toarray()).diagonal() for n in (SIGNED, free.network)]
    assert np.allclose(variance[0], variance[1], rtol=0.05)


@quiet
def test_matched_says_what_it_cannot_do():
    ei = gallery.excitatory_inhibitory(30, rng=605)
    with pytest.raises(InvalidOption, match="this one is directed: take 'regressed'"):
        plain(ei, strengthen="matched")
    weak = Network(SIGNED.weights, SIGNED.leak * 0.9)
    with pytest.raises(InvalidOption, match="this one is not dominant"):
        plain(weak, strengthen="matched")
    with pytest.raises(InvalidOption, match="matches the leak again"):
        plain(SIGNED, strengthen="matched", leak="original")
    with pytest.raises(InvalidOption, match="leak='fitted' goes with"):
        plain(SIGNED, leak="free")
    with pytest.raises(InvalidOption, match="strengthening is matched"):
        prune(POSITIVE, epsilon=0.9, strengthen="matched")
    chain = np.diag(np.ones(11), 1) + np.diag(np.ones(11), -1)
    net = Network(chain, chain.sum(axis=1) + np.eye(12)[0])
    with pytest.raises(UnstableNetwork, match="nothing to match.*keep_connected"):
        prune(net, synapses=18, rule="uniform", draw="fixed", strengthen="matched", rng=1)


# --- regressed


@pytest.mark.parametrize("towards_start", [True, False])
def test_rows_are_refitted_by_their_normal_equations(towards_start):
    random = np.random.default_rng(606)
    target = sp.csr_array(random.standard_normal((7, 12)))
    start = sp.csr_array(np.where(random.random((7, 12)) < 0.4, 2 * target.toarray(), 0))
    root = random.standard_normal((12, 30))
    M, ridge = np.eye(12) + 0.0005 * root @ root.T, 0.05  # nearly independent inputs: no sign is in question
    fitted = refit_rows(target, start, M, ridge=ridge, towards_start=towards_start).toarray()
    penalty = ridge * np.trace(M) / 12
    for i in range(7):
        S = np.flatnonzero(start.toarray()[i])
        w = target.toarray()[i]
        pull = penalty * start.toarray()[i, S] if towards_start else 0
        expected = np.linalg.solve(M[np.ix_(S, S)] + penalty * np.eye(S.size), M[S] @ w + pull)
        assert np.all(expected * w[S] > 0)
        assert np.allclose(fitted[i, S], expected)
        assert np.count_nonzero(fitted[i]) == S.size


def test_signs_are_kept_by_the_best_weights_that_keep_them():
    random = np.random.default_rng(607)
    target = sp.csr_array(random.standard_normal((5, 20)))
    start = sp.csr_array(np.where(random.random((5, 20)) < 0.5, target.toarray(), 0))
    root = random.standard_normal((20, 25))
    M = root @ root.T / 25
    fitted = refit_rows(target, start, M, ridge=1e-9, towards_start=False).toarray()
    assert np.all(fitted * start.toarray() >= 0)
    half = np.linalg.cholesky(M).T
    for i in range(5):
        S = np.flatnonzero(start.toarray()[i])
        low, high = (
            np.where(np.sign(start.toarray()[i, S]) == s, a, b) for s, a, b in ((1, 0, -np.inf), (1, np.inf, 0))
        )
        best = scipy.optimize.lsq_linear(half[:, S], half @ target.toarray()[i], bounds=(low, high), tol=1e-12)
        ours = np.linalg.norm(half @ (fitted[i] - target.toarray()[i]))
        assert ours <= np.sqrt(2 * best.cost) * (1 + 1e-6)


@quiet
@pytest.mark.parametrize("leak", ["auto", "free"])
def test_regressed_is_stable_where_one_over_p_is_not(leak):
    net = gallery.excitatory_inhibitory(120, rng=608)
    unstable = 0
    for seed in range(5):
        reciprocal = plain(net, density=0.15, rng=seed, strengthen="reciprocal")
        unstable += not reciprocal.comparison.stable_after
        result = plain(net, density=0.15, rng=seed, strengthen="regressed", leak=leak)
        c = result.comparison
        assert c.stable_after
        assert c.sign_flips == 0
        assert np.array_equal(result.network.weights.toarray()[net.synapses.post, net.synapses.pre] != 0, result.kept)
        if leak == "auto":
            assert np.array_equal(result.network.leak, net.leak)
        else:
            assert np.all(result.network.leak > 0)
    assert unstable >= 3


@quiet
def test_weights_that_became_zero_count_as_pruned():
    net = gallery.excitatory_inhibitory(80, rng=609)
    result = plain(net, density=0.3, strengthen="regressed", draw="fixed")
    became_zero = result.provenance["chosen"]["strengthening"]["links_that_became_zero"]
    assert became_zero > 0
    assert result.network.n_synapses == round(0.3 * net.n_synapses) - became_zero
    assert result.network.weights.nnz == np.count_nonzero(result.network.weights.data)


@quiet
def test_symmetric_networks_stay_symmetric_when_regressed():
    net = Network(SIGNED.weights, SIGNED.leak, np.linspace(0.5, 2, SIGNED.n_neurons))
    result = plain(net, strengthen="regressed")
    assert result.network.symmetric
    rival = plain(net, strengthen="reciprocal")
    assert result.comparison.covariance_error < rival.comparison.covariance_error


def test_with_everything_kept_regression_finds_the_weights():
    net = gallery.excitatory_inhibitory(40, rng=610)
    assert np.allclose(
        plain(net, density=1.0, strengthen="regressed").network.weights.toarray(), net.weights.toarray(), atol=1e-9
    )


def test_moments_are_their_definitions():
    net = gallery.excitatory_inhibitory(20, rng=611)
    inverse = np.linalg.inv(net.matrix().toarray())
    assert np.allclose(second_moments(net, "slow").matrix, inverse @ inverse.T)
    C = second_moments(net, "stationary").matrix
    A = net.matrix().toarray()
    assert np.allclose(A @ C + C @ A.T, -np.eye(20))
    assert np.trace(second_moments(net, "mixed").matrix) == pytest.approx(1)
    with pytest.raises(InvalidOption, match="stationary, slow, mixed; got 'loud'"):
        second_moments(net, "loud")


@quiet
def test_what_no_shrinking_makes_stable_is_an_error(monkeypatch):
    monkeypatch.setattr(regression, "has_stationary_state", lambda _: False)
    with pytest.raises(UnstableNetwork, match="no regressed weights .* Keep more"):
        plain(gallery.excitatory_inhibitory(30, rng=612), strengthen="regressed")


@quiet
def test_shrinking_is_tried_where_the_first_regression_is_unstable(monkeypatch):
    answers = iter([False, False, True])
    monkeypatch.setattr(regression, "has_stationary_state", lambda _: next(answers))
    result = plain(gallery.excitatory_inhibitory(30, rng=613), strengthen="regressed", compare=False)
    report = result.provenance["chosen"]["strengthening"]
    assert (report["ridge"], report["ridge_towards"]) == (10 * regression.RIDGE, "zero")


# --- from samples


@quiet
@pytest.mark.parametrize("samples", [64, 512])
def test_matched_towards_samples_is_no_worse_than_one_over_p_and_better_towards_many(samples):
    """The worst direction is judged, which no step sees; 12 draws of a network of 450 neurons."""
    net = gallery.clustered([200, 50, 200], within=0.4, between=200, signed=True, rng=616)
    probe = probes.Sketched(samples=samples)
    worst = []
    for seed in range(12):
        pair = [plain(net, density=0.2, probe=probe, strengthen=s, rng=seed) for s in ("reciprocal", "matched")]
        worst.append([result.comparison.worst_direction for result in pair])
        report = pair[1].provenance["chosen"]["strengthening"]
        assert 0 <= report["trust"] < 1
    before, after = np.mean(worst, axis=0)
    assert after < (1.02 if samples == 64 else 0.9) * before


def test_a_target_that_tells_nothing_changes_nothing():
    start = plain(SIGNED, compare=False).network.link_matrix
    target = np.full(start.nnz, 1.0) * probes.Exact().measure(SIGNED).per_link.mean()
    done = matching.matched(SIGNED, start, target, probes.Exact(), target_error=10.0, rng=np.random.default_rng(617))
    assert done.report["trust"] == 0
    assert np.array_equal(done.links.data, start.data)


def test_large_networks_get_a_sketch_that_is_worth_aiming_at(monkeypatch):
    monkeypatch.setattr("noiseprune.machine.limits.EXACT_SYMMETRIC", 50)
    result = plain(SIGNED, strengthen="matched", compare=False)
    assert result.variance.n_samples == 512
    assert "512 samples, since matched aims at them" in result.provenance["chosen"]["why"]["probe"]


def test_matched_refuses_a_recording():
    recording = probes.Recorded(np.random.default_rng(618).standard_normal((100, SIGNED.n_neurons)))
    with pytest.raises(InvalidOption, match="a recording has another"):
        plain(SIGNED, strengthen="matched", probe=recording)


def test_a_free_leak_stops_where_dense_algebra_does(monkeypatch):
    monkeypatch.setattr("noiseprune.machine.limits.FITTED_LEAK", 10)
    with pytest.raises(TooLarge, match="stops at 10 neurons; this network has 120"):
        plain(SIGNED, strengthen="matched", leak="free")


def test_moments_of_samples_stand_for_their_mean_outer_product():
    net = gallery.excitatory_inhibitory(50, rng=619)
    start = plain(net, strengthen="reciprocal", compare=False).network.link_matrix
    samples = np.random.default_rng(620).standard_normal((50, 20))  # fewer than some rows have inputs
    ours, theirs = (regressed(net, start, M) for M in (SampleMoments(samples), samples @ samples.T / 20))
    assert np.allclose(ours.links.toarray(), theirs.links.toarray(), rtol=1e-6, atol=1e-9)


def test_large_networks_are_regressed_from_samples_of_slow_noise(monkeypatch):
    net = gallery.excitatory_inhibitory(150, rng=621)
    found = second_moments(net, dense_limit=10, rng=1)
    exact = second_moments(net)
    # a mean of 512 outer products has an error of 1 / sqrt(512) of the larger moments
    assert np.linalg.norm(found.samples @ found.samples.T / 512 - exact.matrix) < 0.2 * np.linalg.norm(exact.matrix)
    with pytest.raises(InvalidOption, match="second moments are those of slow noise"):
        second_moments(net, "stationary", dense_limit=10)


# --- auto


@quiet
def test_auto_is_one_over_p_where_the_theorem_is_at_home_and_regressed_elsewhere():
    dominant = Network(np.triu(np.ones((20, 20)), 1) / 20, leak=2.0)
    unequal = Network(POSITIVE.weights, POSITIVE.leak, np.linspace(1, 2, POSITIVE.n_neurons))
    for net, expected in (
        (POSITIVE, "reciprocal"),
        (SIGNED, "reciprocal"),
        (dominant, "regressed"),
        (unequal, "regressed"),
    ):
        chosen = plain(net, density=0.6, compare=False).provenance["chosen"]
        assert chosen["strengthen"] == expected
        assert chosen["why"]["strengthen"].startswith(expected)


@quiet
def test_a_stable_original_stays_stable_by_default():
    net = gallery.excitatory_inhibitory(120, rng=622)
    for seed in range(10):
        assert plain(net, density=0.1, rng=seed).comparison.stable_after


@quiet
def test_an_unstable_original_is_pruned_as_the_draw_has_it():
    net = gallery.excitatory_inhibitory(60, gain=1.5, rng=623)
    result = plain(net, rule="weight", compare=False)
    assert "the original is not stable" in result.provenance["chosen"]["strengthening"]["reciprocal"]
    p = result.probability.per_link[result.kept_links]
    assert np.allclose(result.network.links.weight, net.links.weight[result.kept_links] / p)


@quiet
def test_results_of_both_are_saved_whole(tmp_path):
    import noiseprune

    for network, name in ((SIGNED, "matched"), (gallery.excitatory_inhibitory(30, rng=615), "regressed")):
        result = plain(network, strengthen=name)
        result.save(tmp_path / "run.npz", overwrite=True)
        again = noiseprune.load(tmp_path / "run.npz")
        assert np.array_equal(again.kept, result.kept)
        assert compare(again.network, result.network).covariance_error == 0


@quiet
@pytest.mark.parametrize("activation", ["rectified", "tanh"])
def test_matched_weights_of_a_rectified_network_are_measured_on_a_rectified_network(activation):
    base = gallery.clustered([8, 6], within=0.8, between=8, rng=95)
    net = Network(base.weights, 1.1 * base.leak, activation=activation, labels=[f"n{k}" for k in range(14)])
    seen = []

    class Watched(probes.Simulated):
        def measure(self, network, *, rng=0):
            seen.append((network.activation, network.labels))
            return super().measure(network, rng=rng)

    result = prune(
        net, density=0.7, strengthen="matched", probe=Watched(replicas=4, duration=1.0, burn_in=1.0), compare=False
    )
    assert len(seen) > 1
    assert set(seen) == {(activation, net.labels)}
    assert result.network.activation == activation
