"""Networks of any scale: the same links, and weights that scale with them."""

import numpy as np
import pytest

from noiseprune import Network, gallery, prune, sweep
from noiseprune.errors import InvalidNetwork, NoisePruneError
from noiseprune.network.units import Units
from noiseprune.probes import Simulated
from tests.networks import quiet

pytestmark = quiet

NETWORKS = {
    "symmetric": gallery.clustered([12, 10], between=12, signed=True, rng=71),
    "directed": gallery.clustered([12, 10], between=24, symmetric=False, gain=0.9, rng=72),
}


def at(net: Network, k: int) -> Network:
    """The same network, 2^k times as fast."""
    return Network(np.ldexp(net.weights.toarray(), k), np.ldexp(net.leak, k), symmetric=net.symmetric)


def options(probe: str, k: int) -> dict:
    made = Simulated(replicas=4, duration=2.0**-k, burn_in=2.0**-k) if probe == "simulated" else probe
    return {"density": 0.6, "probe": made, "rng": 73}


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("probe", ["exact", "sketched", "simulated"])
def test_a_prune_at_any_scale_is_the_same_prune(kind, probe):
    net = NETWORKS[kind]
    first = prune(net, **options(probe, 0))
    for k in (-500, -132, 52, 600):  # even: roots are exact then, and every bit is the same
        found = prune(at(net, k), **options(probe, k))
        assert np.array_equal(found.kept_links, first.kept_links)
        assert np.array_equal(found.network.links.weight, np.ldexp(first.network.links.weight, k))
        assert found.comparison.eigenvalue_error == pytest.approx(first.comparison.eigenvalue_error, rel=1e-6)
        before, after = (one.comparison.covariance_error for one in (first, found))
        assert after is None if before is None else after == pytest.approx(before, rel=1e-6)
        assert found.comparison.spectral_abscissa_after == pytest.approx(
            np.ldexp(first.comparison.spectral_abscissa_after, k), rel=1e-6
        )
        assert found.comparison.stable_after == first.comparison.stable_after


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("k", [-533, -21, 1, 333, 661])
def test_an_odd_power_of_two_changes_rounding_only(kind, k):
    first, found = (prune(at(NETWORKS[kind], j), **options("exact", j), compare=False) for j in (0, k))
    assert np.array_equal(found.kept_links, first.kept_links)
    np.testing.assert_allclose(np.ldexp(found.network.links.weight, -k), first.network.links.weight, rtol=1e-9)


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("k", [-1060, -1020, -900, 1000, 1019])
def test_near_the_ends_of_the_numbers_a_prune_is_right_or_refused(kind, k):
    net = NETWORKS[kind]
    for probe in ("exact", "sketched", "simulated"):
        try:
            found = prune(at(net, k), **(options(probe, 0) | {"probe": probe}))
        except NoisePruneError:
            continue
        assert np.all(np.isfinite(found.network.links.weight))
        assert 0 < found.network.n_links < net.n_links


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("probe", ["exact", "sketched", "simulated"])
@pytest.mark.parametrize("k", [-450, -60, 60, 450])
def test_the_noise_may_be_of_any_size(kind, probe, k):
    net = NETWORKS[kind]
    first = prune(net, **options(probe, 0), compare=False)
    found = prune(net.replace(noise_std=np.ldexp(net.noise_std, k)), **options(probe, 0), compare=False)
    assert np.array_equal(found.kept_links, first.kept_links)
    assert np.array_equal(found.network.links.weight, first.network.links.weight)


def test_variances_beyond_the_numbers_are_refused():
    net = NETWORKS["symmetric"]
    for k in (-600, 600):
        with pytest.raises(
            InvalidNetwork, match="span more than the range of numbers: a difference variance.*other units"
        ):
            prune(net.replace(noise_std=np.ldexp(net.noise_std, k)), density=0.5)
    mixed = Network([[0, 1e-200], [1e-200, 0]], leak=1e200)
    with pytest.raises(InvalidNetwork, match="span more than the range of numbers: a weight of 1e-200"):
        prune(mixed, density=0.5)


@pytest.mark.parametrize("k", [-1020, 1015])
def test_leaks_near_the_end_of_the_numbers_are_refused(k):
    with pytest.raises(InvalidNetwork, match="so near to the end of the numbers that times are none: give leak and"):
        prune(at(NETWORKS["directed"], k), density=0.5)


def test_inputs_beyond_the_numbers_are_refused():
    full = 1e308 * (1 - np.eye(3))
    with pytest.raises(InvalidNetwork, match="the total input of neuron 0.* is beyond 4.5e.307.*3 such neurons"):
        prune(full, density=0.5, base_leak="dominant")


def test_ordinary_networks_stay_as_they_are(network):
    assert Units.of(network) == Units()
    assert Units.of(network).enter(network) is network


def test_a_sweep_takes_any_scale():
    one, other = (sweep(at(NETWORKS["symmetric"], k), densities=[0.5], draws=2) for k in (0, 600))
    assert other.rows[0]["worst_direction"] == pytest.approx(one.rows[0]["worst_direction"], rel=1e-6)


def test_weights_below_the_normal_numbers_are_kept_and_given_back():
    networkx = pytest.importorskip("networkx")
    small = [1e-310, 5e-324, 1e-308]
    graph = networkx.DiGraph()
    graph.add_weighted_edges_from([(0, 1, 1.0), (1, 2, 1.0), (2, 0, 1.0)])
    graph.add_weighted_edges_from([(0, 2, small[0]), (1, 0, small[1]), (2, 1, small[2])])
    for strengthen in ("reciprocal", "auto"):
        result = prune(graph, density=1.0, strengthen=strengthen, rng=1)
        given = {(u, v): w for u, v, w in result.in_kind.edges(data="weight")}
        assert all(np.isfinite(w) and w > 0 for w in given.values())
        assert np.isfinite(result.probability.constant)
        assert np.all(result.probability.value == 1)
    result = prune(graph, density=1.0, strengthen="reciprocal", rng=1)
    assert [result.in_kind.edges[e]["weight"] for e in ((0, 2), (1, 0), (2, 1))] == small
    assert result.comparison.largest_strengthening == 1.0


@pytest.mark.parametrize("probe", ["exact", "sketched", "simulated"])
def test_a_network_without_synapses_has_nothing_to_measure(probe):
    result = prune(-np.eye(5), density=0.5, probe=probe)
    assert result.network.n_synapses == len(result.variance.value) == 0
    assert result.comparison.not_measured["density"] == "the original has no synapses"
