import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from noiseprune import Network, NoisePruneWarning, gallery
from noiseprune.errors import InvalidOption
from noiseprune.rules.budget import Budget, keep_probability, spanning_forest, water_filling
from noiseprune.rules.theorem import network_gaps as theorem_gaps

RNG = np.random.default_rng(201)
ADVERSARIAL = {
    "equal": np.ones(1000),
    "heavy tail": RNG.pareto(0.3, 1000) + 1e-9,
    "log-normal": RNG.lognormal(0, 6, 1000),
    "geometric": 2.0 ** -np.arange(900),
    "one giant": np.r_[1e12, np.full(999, 1e-6)],
    "with zeros": np.r_[np.zeros(500), RNG.random(500)],
    "two levels": np.r_[np.ones(500), np.full(500, 1e-8)],
}


@pytest.mark.parametrize("share", [1e-3, 0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("name", ADVERSARIAL)
def test_water_filling_is_exact(name, share):
    r = ADVERSARIAL[name]
    target = share * np.count_nonzero(r)
    p = np.minimum(1, water_filling(r, target) * r)
    assert abs(p.sum() - target) <= 1e-9 * target


@given(
    st.lists(st.floats(1e-12, 1e12), min_size=1, max_size=50).map(np.array),
    st.floats(0.001, 0.999),
)
def test_probabilities_lie_in_the_unit_interval_and_sum_to_the_budget(r, share):
    target = share * r.size
    p = np.minimum(1, water_filling(r, target) * r)
    assert np.all((p >= 0) & (p <= 1))
    assert abs(p.sum() - target) <= 1e-9 * target


def test_water_filling_survives_what_floats_can_hold():
    """Twenty thousand importances over hundreds of orders of magnitude; a second."""
    assert water_filling(np.array([1e20, 1.0, 1.0]), 1) > 0
    random = np.random.default_rng(209)
    for _ in range(5000):
        r = random.lognormal(0, random.choice([1, 20, 60]), random.integers(2, 12))
        target = float(random.integers(1, r.size + 1))
        p = np.minimum(1, water_filling(r, target) * r)
        assert abs(p.sum() - target) <= 1e-9 * target
    assert np.minimum(1, water_filling(np.full(3, 1e308), 2) * 1e308) == pytest.approx(2 / 3)


def test_water_filling_depends_on_ratios_only():
    r = ADVERSARIAL["log-normal"]
    assert np.allclose(water_filling(7 * r, 100) * 7, water_filling(r, 100))


NET = gallery.clustered([30, 20], between=20, rng=202)
R = np.random.default_rng(203).lognormal(0, 2, NET.n_links)


@pytest.mark.parametrize("network", [NET, gallery.excitatory_inhibitory(40, rng=204)], ids=["symmetric", "directed"])
@pytest.mark.parametrize("density", [0.05, 0.3, 0.77, 1.0])
def test_expected_synapses_equal_the_density_asked_for(network, density):
    r = np.random.default_rng(205).lognormal(0, 2, network.n_links)
    p = keep_probability(r, network, Budget(density=density))
    assert abs(p.expected_synapses - density * network.n_synapses) <= 1e-9 * network.n_synapses
    assert p.value.shape == (network.n_synapses,)
    if density == 1:
        assert p.n_certain == network.n_synapses


def test_synapses_are_rounded_down_to_pairs():
    assert keep_probability(R, NET, Budget(synapses=101)).expected_synapses == pytest.approx(100)
    directed = gallery.excitatory_inhibitory(40, rng=204)
    r = np.ones(directed.n_links)
    assert keep_probability(r, directed, Budget(synapses=101)).expected_synapses == pytest.approx(101)


def test_a_fixed_draw_rounds_density_to_whole_links():
    p = keep_probability(R, NET, Budget(density=0.3), whole=True)
    assert p.per_link.sum() == pytest.approx(round(0.3 * NET.n_links))


def test_epsilon_and_constant_are_the_rule_itself():
    n, sigma = NET.n_neurons, 1.0
    by_epsilon = keep_probability(R, NET, Budget(epsilon=0.5))
    assert by_epsilon.constant == pytest.approx(8 * np.log(n) / (0.25 * sigma**2))
    assert np.array_equal(keep_probability(R, NET, Budget(K=0.02)).per_link, np.minimum(1, 0.02 * R))


def test_magnitude_keeps_the_largest_with_ties_by_position():
    r = np.zeros(NET.n_links)
    r[[3, 5, 7]] = 2.0
    p = keep_probability(r, NET, Budget(synapses=4), ranks=True)
    assert np.flatnonzero(p.per_link).tolist() == [3, 5]
    assert set(p.per_link) == {0.0, 1.0}
    with pytest.raises(InvalidOption, match="magnitude ranks synapses"):
        keep_probability(r, NET, Budget(K=1.0), ranks=True)


def test_what_has_no_importance_is_never_kept_and_a_budget_beyond_the_rest_warns():
    r = R.copy()
    r[:10] = 0
    with pytest.warns(
        NoisePruneWarning, match=f"{NET.n_synapses} synapses were asked for, and only {NET.n_synapses - 20}"
    ):
        p = keep_probability(r, NET, Budget(density=1.0))
    assert np.count_nonzero(p.value == 0) == 20
    assert p.n_certain == NET.n_synapses - 20


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "exactly one of .*; got none"),
        ({"density": 0.1, "K": 2.0}, "exactly one of .*; got density=0.1 and K=2"),
        ({"density": 0.0}, "density must be above 0 and at most 1; got 0"),
        ({"density": 1.5}, "got 1.5; to keep 1.5 synapses give synapses=1.5"),
        ({"density": float("nan")}, "density must be above 0"),
        ({"epsilon": -0.1}, "epsilon must be above 0"),
        ({"synapses": 0}, "whole number, 1 or more; got 0"),
        ({"synapses": 2.5}, "whole number"),
        ({"synapses": "3"}, "synapses must be a number; got '3'"),
        ({"density": True}, "density must be a number; got True"),
        ({"K": 0.0}, "K must be positive and finite"),
        ({"K": float("inf")}, "K must be positive and finite"),
    ],
)
def test_impossible_budgets_are_refused(given, message):
    with pytest.raises(InvalidOption, match=message):
        Budget(**given)


def test_budgets_that_round_to_nothing_say_so():
    with pytest.raises(InvalidOption, match="less than one pair"):
        keep_probability(R, NET, Budget(synapses=1))
    with pytest.warns(NoisePruneWarning, match="rounds to none of the"):
        assert not keep_probability(R, NET, Budget(density=1e-6), whole=True).value.any()


def test_more_synapses_than_there_are_is_refused():
    with pytest.raises(InvalidOption, match=f"more than the {NET.n_synapses} that there are"):
        keep_probability(R, NET, Budget(synapses=NET.n_synapses + 1))


# --- spanning forest


@pytest.mark.parametrize(
    "network",
    [NET, gallery.excitatory_inhibitory(30, rng=206), Network(sp.block_diag([NET.weights, NET.weights]), 30.0)],
    ids=["symmetric", "directed", "two components"],
)
def test_the_forest_spans_and_is_heaviest(network):
    r = np.random.default_rng(207).permutation(network.n_links) + 1.0  # no ties
    forest = spanning_forest(r, network)
    post, pre, _ = network.links
    chosen = sp.csr_array((np.ones(forest.sum()), (post[forest], pre[forest])), shape=(network.n_neurons,) * 2)
    components = connected_components(network.link_matrix, directed=False, return_labels=False)
    assert connected_components(chosen, directed=False, return_labels=False) == components
    assert forest.sum() == network.n_neurons - components
    kruskal = _kruskal(network, r)
    assert set(np.flatnonzero(forest)) == kruskal


def _kruskal(network: Network, r: np.ndarray) -> set[int]:
    post, pre, _ = network.links
    group = list(range(network.n_neurons))
    chosen = set()
    for k in np.argsort(-r):
        a, b = group[post[k]], group[pre[k]]
        if a != b:
            chosen.add(int(k))
            group = [b if g == a else g for g in group]
    return chosen


def test_the_forest_is_kept_inside_the_same_budget():
    forest = spanning_forest(R, NET)
    p = keep_probability(R, NET, Budget(density=0.3), certain=forest)
    assert np.all(p.per_link[forest] == 1)
    assert p.expected_synapses == pytest.approx(0.3 * NET.n_synapses, rel=1e-9)
    with pytest.raises(InvalidOption, match="one piece takes 98 synapses"):
        keep_probability(R, NET, Budget(density=0.05), certain=forest)
    ranked = keep_probability(R, NET, Budget(density=0.3), ranks=True, certain=forest)
    assert np.all(ranked.per_link[forest] == 1)
    assert ranked.per_link.sum() == round(0.3 * NET.n_links)


def test_theorem_gaps_name_what_is_missing():
    assert theorem_gaps(NET) == []
    assert "directed" in theorem_gaps(gallery.excitatory_inhibitory(20, rng=208))[0]
    louder = Network(NET.weights, NET.leak * 0.9, noise_std=np.arange(1.0, 51), activation="tanh")
    assert len(theorem_gaps(louder)) == 3
