import subprocess
import sys

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse as sp

import noiseprune
from noiseprune import Network, NoisePruneWarning, gallery, probes, prune
from noiseprune.errors import InvalidNetwork, InvalidOption, UnstableNetwork
from noiseprune.strengthenings import reciprocal
from tests import naive
from tests.networks import SYMMETRIC, quiet

# --- the paper


@quiet
@pytest.mark.parametrize("name", SYMMETRIC)
def test_prune_is_the_paper_word_by_word(name):
    net = SYMMETRIC[name]()
    A = net.matrix().toarray()
    result = prune(net, density=0.7, leak="matched", rng=301)
    # the same uniforms, in the order in which links are drawn
    from noiseprune.machine.randomness import streams

    numbers = streams(301).draw.random(net.n_links)
    uniforms = {(int(i), int(j)): u for i, j, u in zip(net.links.post, net.links.pre, numbers, strict=True)}
    expected = naive.prune_symmetric(A, net.noise_std[0], result.probability.constant, uniforms)
    found = result.network.matrix().toarray()
    off = ~np.eye(len(A), dtype=bool)
    assert np.array_equal(found[off] != 0, expected[off] != 0)
    assert np.allclose(found[off], expected[off], rtol=1e-9)
    held = result.network.leak == noiseprune.rules.leak.floor(net)
    assert np.allclose(found.diagonal()[~held], expected.diagonal()[~held], rtol=1e-9)


@pytest.mark.parametrize(
    "net",
    [gallery.clustered([20, 10], between=10, signed=True, rng=302), gallery.excitatory_inhibitory(30, rng=303)],
    ids=["symmetric", "directed"],
)
@pytest.mark.parametrize("draw", ["independent", "fixed"])
@quiet
def test_pruned_weights_are_unbiased(net, draw):
    """Mean of 1 500 prunes, entry by entry; takes about four seconds, most of it in small solves."""
    n_draws = 1500
    W = net.weights.toarray()
    total = np.zeros_like(W)
    for seed in range(n_draws):
        result = prune(net, density=0.5, draw=draw, strengthen="reciprocal", compare=False, rng=seed)
        total += result.network.weights.toarray()
    p = np.ones_like(W)
    p[net.synapses.post, net.synapses.pre] = result.probability.value
    error = np.abs(W) * np.sqrt((1 - p) / p / n_draws)
    # an entry that is kept less than once in a hundred draws has too few to be normal
    assert np.all(np.abs(total / n_draws - W)[p > 0.01] <= 5 * error[p > 0.01] + 1e-12)


@quiet
def test_symmetric_stays_symmetric_and_no_sign_flips(network):
    result = prune(network, density=0.6, strengthen="reciprocal", compare=False, rng=304)
    after = result.network
    assert after.symmetric == network.symmetric
    W, pruned = network.weights.toarray(), after.weights.toarray()
    if network.symmetric:
        assert np.array_equal(pruned, pruned.T)
    assert np.all(W * pruned >= 0)
    assert np.all(np.abs(pruned[pruned != 0]) >= np.abs(W[pruned != 0]))
    assert np.array_equal(pruned[network.synapses.post, network.synapses.pre] != 0, result.kept)


def test_reciprocal_keeps_the_precision_of_the_weights():
    weight = np.array([1.0, -2.0], dtype=np.float32)
    assert reciprocal(weight, np.array([0.5, 0.1])).tolist() == [2.0, -20.0]
    assert reciprocal(weight, np.array([0.5, 0.1])).dtype == np.float32


# --- the theorem, where it can fail


@pytest.mark.parametrize("signed", [False, True], ids=["positive", "signed"])
@pytest.mark.parametrize(("n", "share", "within"), [(500, 0.62, 0.03), (1000, 0.37, 0.02)])
def test_the_theorem_holds_with_its_own_constant(n, share, within, signed):
    """100 draws of up to 1 000 neurons with their whole generalised spectra; up to half a minute each."""
    epsilon = 0.5
    net = gallery.erdos_renyi(n, 0.6, signed=signed, rng=305)
    A = net.matrix().toarray()
    post, pre, weight = net.links
    inverse = np.linalg.inv(-A)
    resistance = inverse[post, post] + inverse[pre, pre] - 2 * np.sign(weight) * inverse[post, pre]
    expected = np.minimum(1, 4 * np.log(n) / epsilon**2 * np.abs(weight) * resistance)

    values, vectors = np.linalg.eigh(-A)
    root = vectors / np.sqrt(values)
    random = np.random.default_rng(306)
    worst = []
    for seed in range(100):
        result = prune(net, epsilon=epsilon, compare=False, rng=seed)
        form = root.T @ (-result.network.matrix() @ root)
        ends = scipy.linalg.eigvalsh(form)[[0, -1]]
        worst.append(np.max(np.abs(ends - 1)))
        for _ in range(2):  # 200 active sets in all: the rectified-linear corollary
            active = random.permutation(n)[: random.integers(n // 10, n // 2)]
            part, pruned = (-M[np.ix_(active, active)] for M in (A, result.network.matrix().toarray()))
            inside = scipy.linalg.eigh(pruned, part, eigvals_only=True)
            assert ends[0] - 1e-9 <= inside[0]
            assert inside[-1] <= ends[1] + 1e-9
    assert np.allclose(result.probability.per_link, expected, rtol=1e-10, atol=0)
    if not signed:
        assert abs(result.probability.per_link.mean() - share) <= within
    assert np.count_nonzero(np.array(worst) < 0.25) >= 95


def test_expected_pairs_stay_below_the_theorems_bound():
    net = gallery.erdos_renyi(300, 0.6, rng=307)
    p = prune(net, epsilon=1.0, compare=False).probability
    assert p.per_link.sum() <= 4 * 300 * np.log(300)


# --- budgets and options


@quiet
def test_a_fixed_draw_keeps_exactly_what_was_asked_for(network):
    result = prune(network, density=0.5, draw="fixed", compare=False, rng=308)
    became_zero = result.provenance["chosen"]["strengthening"].get("links_that_became_zero", 0)
    assert result.network.n_links + became_zero == round(0.5 * network.n_links)


@quiet
def test_rivals_share_budget_draw_and_leak():
    net = gallery.clustered([40, 20], between=20, signed=True, rng=309)
    kept = {}
    for rule in ("noise", "weight", "uniform", "magnitude"):
        result = prune(net, density=0.5, rule=rule, draw="fixed", compare=False, rng=310)
        kept[rule] = result.kept
        assert result.network.n_synapses == 2 * round(0.5 * net.n_links)
        assert (result.variance is None) == (rule != "noise")
        assert result.rule == rule
    weight = np.abs(net.synapses.weight)
    assert weight[kept["magnitude"]].min() >= weight[~kept["magnitude"]].max()
    strongest = prune(net, density=0.5, rule="magnitude", compare=False).network
    assert set(strongest.synapses.weight) <= set(net.synapses.weight)


def test_keep_connected_keeps_one_piece_in_the_same_budget():
    net = gallery.clustered([40, 40, 40], between=20, rng=311)
    with pytest.warns(NoisePruneWarning, match=r"fell apart: 1 connected components before, \d+ after.*keep_connected"):
        prune(net, density=0.03, draw="fixed", rng=312)
    result = prune(net, density=0.1, draw="fixed", keep_connected=True, rng=312)
    assert result.comparison.components_after == 1
    assert result.network.n_links == round(0.1 * net.n_links)


def test_a_density_below_what_connectivity_needs_warns_and_offers_a_forest():
    net = gallery.clustered([40, 20], within=0.6, between=20, rng=327)
    need = 60 * np.log(60) / net.n_synapses
    with pytest.warns(NoisePruneWarning, match="hold together; this one did hold together: keep_connected=True"):
        prune(net, density=0.95 * need, draw="fixed", compare=False, rng=0)
    prune(net, density=0.95 * need, draw="fixed", compare=False, keep_connected=True, rng=0)


def test_epsilon_is_refused_where_the_theorem_does_not_hold():
    net = gallery.clustered([40, 20], between=20, rng=313)
    for where, more, message in (
        (net, {"draw": "fixed"}, "draw is not independent"),
        (net, {"rule": "weight"}, "rule is weight"),
        (net, {"leak": "original"}, "the leak is original"),
        (gallery.excitatory_inhibitory(30, rng=314), {}, "network is directed; .* of 30 neurons"),
        (Network(net.weights, net.leak, np.arange(1.0, 61)), {}, "noise differs"),
    ):
        with pytest.raises(InvalidOption, match=message):
            prune(where, epsilon=0.5, **more)
    forced = prune(gallery.excitatory_inhibitory(30, rng=314), epsilon=0.9, beyond_theorem=True, compare=False)
    assert forced.probability.constant == pytest.approx(8 * np.log(30) / 0.81)
    assert not forced.provenance["theorem"]["holds"]


def test_without_a_budget_the_error_suggests_one():
    net = gallery.clustered([40, 20], between=20, rng=315)
    need = 60 * np.log(60) / net.n_synapses
    with pytest.raises(InvalidOption, match=f"n ln n / m = {need:.2g}; try density={need:.2g}"):
        prune(net)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rule": "age"}, "rule must be one of noise, weight, uniform, magnitude, activity; got 'age'"),
        ({"probe": probes.Exact}, "got the class Exact: call it, probes.Exact"),
        ({"probe": 3}, "probe must be a name or an object"),
        ({"base_leak": 2.0}, "a Network has its leak"),
        ({"probe": "guess"}, "probe must be one of auto, exact, sketched, simulated; got 'guess'"),
        ({"strengthen": "guessed"}, "strengthen must be one of auto, reciprocal, matched, regressed; got 'guessed'"),
        ({"leak": "open"}, "leak must be one of auto, matched, original, fitted; got 'open'"),
        ({"draw": "lots"}, "draw must be one of independent, fixed; got 'lots'"),
        ({"threads": 0}, "threads must be a whole number, 1 or more; got 0"),
        ({"rng": "seed"}, "rng must be a seed"),
        ({"rng": -1}, "rng must be a seed"),
        ({"content": "pictures"}, "content must be"),
    ],
)
def test_unknown_options_are_refused(options, message):
    network = [[-1, 0.5], [0.5, -1]] if "content" in options else gallery.ring(6)
    with pytest.raises(InvalidOption, match=message):
        prune(network, density=0.5, **options)


def test_an_unstable_result_is_a_loud_warning():
    net = gallery.excitatory_inhibitory(100, rng=316)
    with pytest.warns(NoisePruneWarning, match=r"UNSTABLE: its spectral abscissa is \+.* keep more"):
        result = prune(net, density=0.15, strengthen="reciprocal", rng=317, keep_connected=True)
    assert result.comparison.stable_after is False
    assert result.comparison.covariance_error is None
    assert result.comparison.not_measured["covariance_error"] == "no stationary state is left"


def test_an_unstable_original_is_refused_by_rules_that_need_its_covariance():
    net = Network([[0, 3.0], [3.0, 0]], leak=1.0)
    with pytest.raises(UnstableNetwork):
        prune(net, density=0.5)


def test_a_piece_cut_off_without_excess_makes_the_result_singular_and_says_so():
    # two positive pairs without excess, held up by the leaky neuron between them
    W = np.zeros((5, 5))
    for i, j in ((0, 1), (1, 2), (2, 3), (3, 4)):
        W[i, j] = W[j, i] = 1.0
    net = Network(W, W.sum(axis=1) + np.array([0, 0, 0.5, 0, 0]))
    W[2] = W[:, 2] = 0
    c = noiseprune.compare(net, Network(W, [1.0, 1.0, 0.5, 1.0, 1.0]))
    assert abs(c.spectral_abscissa_after) < 1e-12
    assert c.worst_direction == pytest.approx(1.0)
    assert c.covariance_error is None
    assert c.components_after == 3


def test_a_piece_that_is_cut_off_without_excess_is_called_unstable():
    # a chain whose only excess is at its end: every cut leaves a piece whose slowest mode does not decay
    W = np.zeros((12, 12))
    for i in range(11):
        W[i, i + 1] = W[i + 1, i] = 1.0
    net = Network(W, W.sum(axis=1) + np.eye(12)[0])
    with pytest.warns(NoisePruneWarning) as caught:
        result = prune(net, synapses=18, rule="uniform", draw="fixed", rng=1)
    assert any("UNSTABLE (a piece was cut off and has no excess leak)" in str(w.message) for w in caught)
    c = result.comparison
    assert (c.stable_after, c.kl_per_neuron, c.covariance_error) == (False, None, None)


@quiet
@pytest.mark.parametrize("symmetric", [True, False])
def test_single_precision_keeps_precision_and_small_excess(symmetric):
    sheet = gallery.sheet(6, 6, radius=2, excess=1e-5, rng=326)
    net = Network(sheet.weights.astype(np.float32), sheet.leak, symmetric=symmetric)
    result = prune(net, density=1.0)
    assert result.network.weights.dtype == np.float32
    assert np.array_equal(result.network.leak, net.leak)
    assert result.comparison.stable_after


def test_a_forest_that_does_not_fit_is_refused_by_every_rule():
    for rule in ("noise", "magnitude"):
        with pytest.raises(InvalidOption, match="one piece takes 38 synapses"):
            prune(gallery.ring(20), synapses=10, rule=rule, keep_connected=True)


@quiet
def test_numpy_numbers_do_for_a_budget_and_save(tmp_path):
    for budget in ({"synapses": np.int64(20)}, {"density": np.float32(0.75)}, {"K": np.float32(9)}):
        prune(gallery.ring(20), **budget, rng=1).save(tmp_path / "run.npz", overwrite=True)


def test_probabilities_serve_as_an_array():
    result = prune(gallery.ring(20), density=1.0, compare=False)
    assert np.array_equal(np.asarray(result.probability), result.probability.value)
    assert len(result.probability) == result.original.n_synapses


# --- edges


def test_one_neuron_and_no_synapses_are_pruned_to_themselves():
    result = prune(Network([[0.0]], leak=2.0), density=0.5)
    assert result.network.n_synapses == 0
    assert result.comparison.density is None
    assert result.comparison.covariance_error == 0


@quiet
def test_one_synapse():
    outcomes = {prune(Network([[0, 0.5], [0.5, 0]], 1.0), density=0.5, rng=s).network.n_synapses for s in range(20)}
    assert outcomes == {0, 2}


# --- matrices in and out


DENSE = np.array([[-1.0, 0.4, 0.3], [0.4, -1.0, 0.2], [0.3, 0.2, -1.0]])


@quiet
@pytest.mark.parametrize("kind", [np.asarray, sp.csr_array, sp.csc_array, sp.coo_array, sp.csr_matrix, sp.csc_matrix])
def test_a_matrix_comes_back_in_kind(kind):
    given = kind(DENSE)
    result = prune(given, density=0.9, rng=318)
    assert type(result.matrix) is type(given)
    found = result.matrix.toarray() if sp.issparse(result.matrix) else result.matrix
    assert np.array_equal(found, result.network.matrix().toarray())
    assert np.array_equal(given.toarray() if sp.issparse(given) else given, DENSE)
    assert prune(kind(DENSE.astype(np.float32)), density=0.9).matrix.dtype == np.float32


def test_a_diagonal_that_does_not_tell_is_refused_with_the_remedy():
    W = DENSE - np.diag(DENSE.diagonal())
    with pytest.raises(InvalidNetwork, match=r"Network\(W, leak\).*base_leak="):
        prune(W, density=0.5)
    mixed = W + np.diag([0, -1.0, -1.0])
    with pytest.raises(InvalidNetwork, match="content="):
        prune(mixed, density=0.5)


@quiet
def test_weights_get_a_leak_where_one_is_asked_for():
    W = DENSE - np.diag(DENSE.diagonal())
    result = prune(W, density=0.9, base_leak="dominant", rng=319)
    assert np.allclose(result.original.leak, 1.05 * W.sum(axis=1))
    assert np.array_equal(result.matrix, result.network.weights.toarray())
    by_rate = prune(W, density=0.9, base_leak=2.0, rng=319).original
    assert np.max(np.linalg.eigvals(by_rate.weights.toarray()).real) == pytest.approx(1.8)
    mixed = prune(W + np.diag([0, 5.0, -1.0]), density=0.9, content="weights", base_leak=1.0, rng=319)
    assert mixed.original.origin["self_connections_dropped"] == 2


# --- repeatability


@quiet
def test_the_seed_in_the_provenance_repeats_the_run():
    net = gallery.excitatory_inhibitory(40, rng=320)
    generator = np.random.default_rng(321)
    first = prune(net, density=0.3, rng=generator)
    second = prune(net, density=0.3, rng=generator)
    for result in (first, second, prune(net, density=0.3, rng=None)):
        again = prune(net, density=0.3, rng=result.provenance["seed"])
        assert np.array_equal(again.kept, result.kept)
        assert again.comparison == result.comparison
    assert not np.array_equal(first.kept, second.kept)


@quiet
def test_the_number_of_threads_changes_nothing():
    net = gallery.clustered([200, 100], between=100, rng=322)
    one, two = (prune(net, density=0.2, threads=k, compare=False, rng=323) for k in (1, 2))
    assert np.array_equal(one.kept, two.kept)
    assert np.allclose(one.network.links.weight, two.network.links.weight, rtol=1e-12)


@quiet
def test_auto_takes_the_exact_probe_where_it_is_quick_and_says_why(monkeypatch):
    small, directed = gallery.clustered([60, 40], between=40, rng=161), gallery.excitatory_inhibitory(60, rng=162)
    for net in (small, directed):
        record = prune(net, density=0.6, compare=False, rng=1).provenance["chosen"]
        assert record["probe"].startswith("Exact")
        assert record["why"]["probe"].startswith("exact: ")
    monkeypatch.setattr("noiseprune.machine.limits.EXACT_SYMMETRIC", 90)
    monkeypatch.setattr("noiseprune.machine.limits.EXACT_GENERAL", 50)
    for net, why in ((small, "symmetric with equal noise"), (directed, "directed")):
        record = prune(net, density=0.6, compare=False, rng=1).provenance["chosen"]
        assert record["probe"].startswith("Sketched")
        assert why in record["why"]["probe"]


def test_small_networks_take_no_compiled_path():
    code = """
import sys
from noiseprune import gallery, prune
for net in (gallery.clustered([60, 40], between=40, rng=5), gallery.excitatory_inhibitory(60, rng=6)):
    prune(net, density=0.6, strengthen="reciprocal", threads=1, rng=7)
assert "numba" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def test_a_sampled_result_is_saved_and_loaded(tmp_path):
    net = gallery.clustered([60, 40], between=40, rng=163)
    result = prune(net, density=0.6, probe="sketched", compare=False, rng=8)
    result.save(tmp_path / "run.npz")
    again = noiseprune.load(tmp_path / "run.npz").variance
    assert np.array_equal(again.standard_error, result.variance.standard_error)
    assert again.report == result.variance.report


def test_the_probe_does_not_change_the_draw():
    class Doubled:
        def measure(self, network, *, rng=0):
            np.random.default_rng(rng).random(100)
            return probes.Exact().measure(network)

    net = gallery.clustered([20, 10], between=10, rng=324)
    assert np.array_equal(prune(net, density=0.5, probe=Doubled()).kept, prune(net, density=0.5).kept)


@quiet
def test_provenance_says_what_was_done():
    net = gallery.clustered([20, 10], between=10, rng=325)
    found = prune(net, density=0.5, rng=9).provenance
    assert found["seed"] == 9
    assert found["options"]["density"] == 0.5
    assert found["chosen"]["leak"] == "matched"
    assert "diagonally dominant" in found["chosen"]["why"]["leak"]
    assert found["versions"]["noiseprune"] == noiseprune.__version__
    assert not found["theorem"]["holds"]
    assert "above 1" in found["theorem"]["gaps"][0]
    promised = prune(net, epsilon=0.8).provenance["theorem"]
    assert promised == {"holds": True, "gaps": [], "epsilon": pytest.approx(0.8)}
    same = Network(net.weights, net.leak)
    assert prune(same, density=0.5).provenance["input"]["digest"] == found["input"]["digest"]
    other = Network(net.weights, net.leak * 2)
    assert prune(other, density=0.5).provenance["input"]["digest"] != found["input"]["digest"]


def test_nothing_of_the_original_is_changed(network):
    before = network.matrix().copy()
    prune(network, density=1.0, compare=False)
    assert (before != network.matrix()).nnz == 0
