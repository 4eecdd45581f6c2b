import numpy as np
import pytest

from noiseprune import Network, gallery
from noiseprune.errors import InvalidOption
from noiseprune.gallery import _bernoulli_places, _random_places


def same(a: Network, b: Network) -> bool:
    return (a.matrix() != b.matrix()).nnz == 0


@pytest.mark.parametrize(
    "make",
    [
        lambda rng: gallery.clustered([20, 10], between=10, rng=rng),
        lambda rng: gallery.clustered([20, 10], between=10, symmetric=False, gain=0.8, rng=rng),
        lambda rng: gallery.excitatory_inhibitory(30, rng=rng),
        lambda rng: gallery.sheet(4, 5, rng=rng),
        lambda rng: gallery.erdos_renyi(30, 0.5, signed=True, rng=rng),
    ],
)
def test_the_same_seed_gives_the_same_network_and_another_another(make):
    assert same(make(71), make(71))
    assert same(make(71), make(np.random.default_rng(71)))
    assert not same(make(71), make(72))


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("signed", [True, False])
def test_clustered_has_the_weights_scale_and_leak_of_its_definition(symmetric, signed):
    net = gallery.clustered([300, 100], within=0.6, between=0, symmetric=symmetric, signed=signed, rng=73)
    W = net.weights.toarray()
    assert not W[:300, 300:].any()
    assert not W[300:, :300].any()
    share = np.count_nonzero(W[:300, :300]) / (300 * 299)
    assert abs(share - 0.6) < 5 * np.sqrt(0.24 / (300 * 299 / 2))
    assert np.isclose(np.max(np.linalg.eigvals(W).real), 1 / 1.1)
    assert np.allclose(net.leak, np.abs(W).sum(axis=1) + (0 if signed else 0.001), rtol=1e-12)
    positive = W[W != 0]
    positive = positive / positive.mean()
    # normal(1, 1): spread 1 of the mean; uniform(0, 1): 1 / sqrt(3) of the mean
    assert abs(positive.std() - (1 if signed else 1 / np.sqrt(3))) < 0.02


def test_long_range_synapses_are_as_many_as_asked_for():
    net = gallery.clustered([500, 500], within=0.0, between=1000, symmetric=False, rng=74)
    assert 990 <= net.n_synapses <= 1000  # a place chosen twice holds the sum
    assert 495 <= gallery.clustered([500, 500], within=0.0, between=1000, rng=74).n_links <= 500


def test_common_dominance_gives_all_neurons_the_largest_leak():
    net = gallery.clustered([30, 20], between=10, dominance="common", rng=75)
    assert np.all(net.leak == net.leak[0])
    assert np.isclose(net.leak[0], net.total_input.max() + 0.001)


def test_gain_sets_the_abscissa():
    for net in (
        gallery.clustered([40, 30], within=0.3, between=50, symmetric=False, signed=True, gain=0.9, rng=76),
        gallery.excitatory_inhibitory(60, gain=0.9, rng=77),
    ):
        assert np.all(net.leak == 1)
        assert np.isclose(np.max(np.linalg.eigvals(net.matrix().toarray()).real), -0.1)


def test_inhibitory_neurons_are_the_last_and_four_times_as_strong():
    net = gallery.excitatory_inhibitory(200, connection=0.3, inhibitory=0.2, rng=78)
    W = net.weights.toarray()
    assert np.all(W[:, :160] >= 0)
    assert np.all(W[:, 160:] <= 0)
    ratio = np.median(-W[:, 160:][W[:, 160:] != 0]) / np.median(W[:, :160][W[:, :160] != 0])
    assert 3.7 < ratio < 4.3


def test_sheet_joins_all_within_the_radius_and_no_others():
    rows, columns, radius = 5, 7, 2.3
    net = gallery.sheet(rows, columns, radius=radius, excess=0.5, rng=79)
    place = np.array([(r, c) for r in range(rows) for c in range(columns)])
    distance = np.linalg.norm(place[:, None] - place, axis=-1)
    assert np.array_equal(net.weights.toarray() > 0, (distance > 0) & (distance <= radius))
    assert np.allclose(net.leak, net.total_input + 0.5 * net.total_input.mean())


def test_ring_has_its_known_eigenvalues():
    n, neighbours = 9, 2
    net = gallery.ring(n, neighbours, excess=0.3, weight=0.5)
    k = np.arange(n)
    modes = sum(np.cos(2 * np.pi * k * d / n) for d in (1, 2))
    expected = -(2 * neighbours * 0.5 + 0.3 - 2 * 0.5 * modes)
    assert np.allclose(np.linalg.eigvalsh(net.matrix().toarray()), np.sort(expected))


@pytest.mark.parametrize("probability", [0.0, 0.01, 0.6, 1.0])
def test_places_are_chosen_with_the_probability_asked_for(probability):
    n = 20_000
    places = _bernoulli_places(n, probability, np.random.default_rng(80))
    assert np.all(np.diff(places) > 0)
    assert not places.size or (places[0] >= 0 and places[-1] < n)
    assert abs(places.size - n * probability) <= 5 * np.sqrt(n * probability * (1 - probability))


def test_a_probability_next_to_nothing_chooses_nothing():
    assert gallery.erdos_renyi(10, 1e-20, rng=82).n_synapses == 0


@pytest.mark.parametrize("symmetric", [True, False])
def test_every_place_can_be_chosen_once(symmetric):
    post, pre = _random_places(7, 1.0, symmetric, np.random.default_rng(81))
    expected = {(i, j) for i in range(7) for j in range(7) if (i > j if symmetric else i != j)}
    assert set(zip(post.tolist(), pre.tolist(), strict=True)) == expected
    assert post.size == len(expected)


@pytest.mark.parametrize("symmetric", [True, False])
def test_exuberant_growth_adds_weak_synapses_and_keeps_the_rest(symmetric):
    net = gallery.clustered([20, 12], within=0.3, between=15, symmetric=symmetric, signed=True, rng=83)
    young = gallery.exuberant(net, extra=1.5, strength=0.1, rng=84)
    assert young.symmetric == net.symmetric
    assert young.n_links == net.n_links + round(1.5 * net.n_links)
    assert np.allclose(young.dominance_margin, net.dominance_margin)
    before, after = net.weights.toarray(), young.weights.toarray()
    there = before != 0
    assert np.array_equal(before[there], after[there])
    new = np.abs(after[~there & (after != 0)])
    assert new.max() <= 0.1 * np.abs(before).max()
    if not symmetric:
        majority = np.sign(before).sum(axis=0)
        _, pre = np.nonzero(~there & (after != 0))
        assert np.all((after[~there & (after != 0)] < 0) == (majority[pre] < 0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gallery.exuberant(gallery.ring(5), extra=2), "room for 0 to 5"),
        (lambda: gallery.clustered([]), "at least one cluster"),
        (lambda: gallery.clustered([5], within=1.5), "within is a probability.*got 1.5"),
        (lambda: gallery.clustered([5], dominance="weak"), "individual, common; got 'weak'"),
        (lambda: gallery.clustered([1], between=4), "at least two neurons"),
        (lambda: gallery.clustered([3, 3], within=0, symmetric=False, gain=0.5), "no eigenvalue"),
        (lambda: gallery.clustered([5], between=-4), "zero or more; got -4"),
        (lambda: gallery.sheet(0, 5), "at least one row"),
        (lambda: gallery.sheet(1, 1), "would have a leak of 0"),
        (lambda: gallery.sheet(3, 3, excess=-9), "give a positive excess"),
        (lambda: gallery.ring(4, 2), "room for fewer than 2"),
        (lambda: gallery.ring(4, rng="seed") and gallery.sheet(2, 2, rng="seed"), "rng must be a seed"),
    ],
)
def test_impossible_networks_are_refused(call, message):
    with pytest.raises(InvalidOption, match=message):
        call()
