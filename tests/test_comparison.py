import json
from dataclasses import fields

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse as sp

from noiseprune import Network, gallery, prune
from noiseprune.errors import DidNotConverge, InvalidNetwork
from noiseprune.machine import limits
from noiseprune.measure.compare import Reference, compare
from noiseprune.measure.result import Comparison
from noiseprune.measure.structure import ramanujan_reference
from tests import naive
from tests.networks import quiet

SYMMETRIC = gallery.clustered([60, 20, 40], between=60, signed=True, rng=401)
PRUNED = prune(SYMMETRIC, density=0.4, compare=False, rng=402).network
DIRECTED = gallery.clustered([40, 30], within=0.4, between=60, symmetric=False, gain=0.8, rng=403)
DIRECTED_PRUNED = prune(DIRECTED, density=0.7, compare=False, rng=404).network

KEYS = {
    "schema_version",
    "density",
    "n_synapses_before",
    "n_synapses_after",
    "spectral_abscissa_before",
    "spectral_abscissa_after",
    "stable_after",
    "eigenvalue_error",
    "rayleigh_error",
    "eigenvector_cosine",
    "worst_direction",
    "worst_direction_interval",
    "ramanujan_reference",
    "kl_per_neuron",
    "covariance_error",
    "fixed_point_error",
    "decay_error",
    "trajectory_error",
    "components_before",
    "components_after",
    "orphans",
    "sign_flips",
    "floored_leaks",
    "largest_strengthening",
}


def test_every_name_of_the_contract_is_there_and_strict_json():
    for before, after in ((SYMMETRIC, PRUNED), (DIRECTED, DIRECTED_PRUNED)):
        found = compare(before, after).to_dict()
        assert set(found) >= KEYS
        assert json.loads(json.dumps(found, allow_nan=False)) == found
        assert set(found["eigenvalue_error"]) == {"median", "p95", "max", "slowest"}
        assert set(found["trajectory_error"]) == {"linear", "rectified"}


def test_the_same_network_has_no_errors(network):
    c = compare(network, network)
    for name in ("worst_direction", "covariance_error", "fixed_point_error", "decay_error", "kl_per_neuron"):
        value = getattr(c, name)
        assert value is None or abs(value) < 1e-9, name
    assert c.trajectory_error == {"linear": 0.0, "rectified": 0.0}
    assert c.eigenvalue_error["max"] < 1e-9
    assert (c.orphans, c.sign_flips, c.floored_leaks) == (0, 0, 0)
    assert c.components_before == c.components_after


# --- each measure against its definition, naively


def test_symmetric_measures_are_their_definitions():
    A, B = SYMMETRIC.matrix().toarray(), PRUNED.matrix().toarray()
    n = len(A)
    c = compare(SYMMETRIC, PRUNED)
    g = scipy.linalg.eigh(-B, -A, eigvals_only=True)
    assert c.worst_direction_interval == pytest.approx([g[0], g[-1]], rel=1e-8)
    assert c.worst_direction == pytest.approx(np.max(np.abs(g - 1)), rel=1e-8)
    values, vectors = np.linalg.eigh(A)
    error = np.abs(np.linalg.eigvalsh(B) / values - 1)
    slow = np.argsort(np.abs(values))[:10]
    assert c.eigenvalue_error == pytest.approx(
        {
            "median": np.median(error),
            "p95": np.quantile(error, 0.95),
            "max": error.max(),
            "slowest": np.median(error[slow]),
        }
    )
    rayleigh = np.abs([v @ B @ v / value - 1 for v, value in zip(vectors.T, values, strict=True)])
    assert c.rayleigh_error["median"] == pytest.approx(np.median(rayleigh))
    assert c.rayleigh_error["slowest"] == pytest.approx(np.median(rayleigh[slow]))
    cosine = [(A @ v) @ (B @ v) / np.linalg.norm(A @ v) / np.linalg.norm(B @ v) for v in vectors.T]
    assert c.eigenvector_cosine["median"] == pytest.approx(np.median(cosine))
    assert c.eigenvector_cosine["min"] == pytest.approx(np.min(cosine))
    C, D = (naive.symmetric_covariance(M, 1.0) for M in (A, B))
    assert c.covariance_error == pytest.approx(np.linalg.norm(D - C) / np.linalg.norm(C))
    kl = np.trace(np.linalg.solve(D, C)) - n + np.linalg.slogdet(D)[1] - np.linalg.slogdet(C)[1]
    assert c.kl_per_neuron == pytest.approx(kl / 2 / n)
    assert c.spectral_abscissa_before == pytest.approx(values[-1])
    degree = PRUNED.n_synapses / n
    assert c.ramanujan_reference == pytest.approx(
        [1 - 2 * np.sqrt(degree - 1) / degree, 1 + 2 * np.sqrt(degree - 1) / degree]
    )


def test_directed_measures_are_their_definitions():
    """The naive covariance solves 4 900 equations, twice; about three seconds."""
    A, B = DIRECTED.matrix().toarray(), DIRECTED_PRUNED.matrix().toarray()
    n = len(A)
    c = compare(DIRECTED, DIRECTED_PRUNED)
    assert c.worst_direction is None
    assert c.not_measured["worst_direction"] == "a measure of symmetric networks"
    C, D = (naive.covariance(M, np.ones(n)) for M in (A, B))
    assert c.covariance_error == pytest.approx(np.linalg.norm(D - C) / np.linalg.norm(C))
    kl = np.trace(np.linalg.solve(D, C)) - n + np.linalg.slogdet(D)[1] - np.linalg.slogdet(C)[1]
    assert c.kl_per_neuron == pytest.approx(kl / 2 / n)
    assert c.spectral_abscissa_after == pytest.approx(np.max(np.linalg.eigvals(B).real))


def test_directed_eigenvalues_are_paired_by_least_total_distance():
    turned = [[-2.0, 1.0], [-1.0, -2.0]]  # -2 +- i
    moved = [[-2.2, 1.0], [-1.0, -2.2]]  # -2.2 +- i: each moves by 0.2, not across
    c = compare(Network.from_matrix(turned), Network.from_matrix(moved))
    assert c.eigenvalue_error["max"] == pytest.approx(0.2 / np.sqrt(5))


def test_unequal_noise_enters_the_covariance():
    noisy = Network(SYMMETRIC.weights, SYMMETRIC.leak, np.linspace(0.5, 2, SYMMETRIC.n_neurons))
    pruned = Network(PRUNED.weights, PRUNED.leak, noisy.noise_std)
    C, D = (naive.covariance(M.matrix().toarray()[:40, :40], M.noise_std[:40]) for M in (noisy, pruned))
    small = [Network.from_matrix(M.matrix()[:40, :40], M.noise_std[:40]) for M in (noisy, pruned)]
    c = compare(*small)
    assert c.covariance_error == pytest.approx(np.linalg.norm(D - C) / np.linalg.norm(C))
    assert c.worst_direction is not None


def test_responses_are_their_definitions():
    for before, after in ((SYMMETRIC, PRUNED), (DIRECTED, DIRECTED_PRUNED)):
        A, B = before.matrix().toarray(), after.matrix().toarray()
        reference = Reference(before, rng=405)
        c = reference.compare(after)
        b = reference._responses._inputs
        assert b.shape == (before.n_neurons, 20)
        x, y = np.linalg.solve(A, b), np.linalg.solve(B, b)
        assert c.fixed_point_error == pytest.approx(np.linalg.norm(y - x) / np.linalg.norm(x))
        x0 = np.random.default_rng(reference._responses._seeds[1]).random(before.n_neurons)
        t = 2 / np.median(before.leak)
        x, y = (scipy.linalg.expm(M * t) @ x0 for M in (A, B))
        assert c.decay_error == pytest.approx(np.linalg.norm(y - x) / np.linalg.norm(x))


def test_trajectories_share_input_and_noise_and_rectify():
    reference = Reference(DIRECTED, rng=406)
    found = reference.compare(DIRECTED_PRUNED).trajectory_error
    A, B = DIRECTED.matrix().toarray(), DIRECTED_PRUNED.matrix().toarray()
    n = len(A)
    step = 0.2 / max(np.max(np.abs(M).sum(axis=1)) for M in (A, B))
    n_steps = int(np.ceil(10 / np.median(DIRECTED.leak) / step))
    b = np.random.default_rng(reference._responses._seeds[2]).standard_normal((n, 5))
    for kind, f in (("linear", lambda x: x), ("rectified", lambda x: np.maximum(x, 0))):
        noise = np.random.default_rng(reference._responses._seeds[3])
        states = [np.zeros((n, 5)), np.zeros((n, 5))]
        difference = size = 0.0
        for _ in range(n_steps):
            xi = noise.standard_normal((n, 5))
            for k, M in enumerate((A, B)):
                D = np.diag(M.diagonal())
                change = (M - D) @ f(states[k]) + D @ states[k] + b
                states[k] = states[k] + step * change + np.sqrt(step) * xi
            difference += np.sum((states[1] - states[0]) ** 2)
            size += np.sum(states[0] ** 2)
        assert found[kind] == pytest.approx(np.sqrt(difference / size), rel=1e-9)


# --- structure


def test_structure_is_counted():
    before = Network([[0, 1, 0, 0], [2, 0, 0, 0], [0, 3, 0, -4], [0, 0, 0, 0]], 9.0)
    after = Network([[0, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 8], [0, 0, 0, 0]], 9.0)
    c = compare(before, after)
    assert (c.n_synapses_before, c.n_synapses_after, c.density) == (4, 2, 0.5)
    assert (c.components_before, c.components_after) == (1, 2)
    # 0 lost its only output, 1 its only input; 2 and 3 keep what they had
    assert (c.orphans, c.without_input, c.without_output) == (2, 2, 2)
    assert c.sign_flips == 1
    assert c.largest_strengthening == 2.0


def test_a_flipped_pair_counts_twice():
    before = Network([[0, 1.0], [1.0, 0]], 3.0)
    after = Network([[0, -1.0], [-1.0, 0]], 3.0)
    assert compare(before, after).sign_flips == 2


def test_ramanujan_reference_of_the_design_note():
    class Net:
        n_neurons, n_synapses = 2, 13

    assert ramanujan_reference(Net) == pytest.approx([0.28, 1.72], abs=0.005)
    Net.n_synapses = 1
    assert ramanujan_reference(Net) is None


# --- what cannot be had


@quiet
def test_an_unstable_result_has_nulls_and_reasons():
    after = Network(DIRECTED.weights * 3, DIRECTED.leak)
    c = compare(DIRECTED, after)
    assert c.stable_after is False
    assert c.covariance_error is None
    assert c.kl_per_neuron is None
    assert c.not_measured["kl_per_neuron"] == "no stationary state is left"
    json.dumps(c.to_dict(), allow_nan=False)


def test_an_unstable_symmetric_result_still_has_its_worst_direction():
    c = compare(SYMMETRIC, Network(SYMMETRIC.weights * 3, SYMMETRIC.leak))
    assert c.stable_after is False
    assert c.worst_direction_interval[0] < 0
    assert c.kl_per_neuron is None


def test_an_unstable_original_is_compared_without_a_covariance():
    hot = Network(SYMMETRIC.weights * 3, SYMMETRIC.leak)
    c = compare(hot, PRUNED)
    assert c.covariance_error is None
    assert c.worst_direction is None
    assert c.not_measured["worst_direction"] == "the original is not stable"


def test_different_neurons_are_refused():
    with pytest.raises(InvalidNetwork, match="60 before, 50 after"):
        compare(gallery.ring(60), gallery.ring(50))
    named = [Network(gallery.ring(4).weights, 3.0, labels=labels) for labels in ("abcd", "abdc", None)]
    with pytest.raises(InvalidNetwork, match="neuron 2 is 'c' before and 'd' after"):
        compare(named[0], named[1])
    with pytest.raises(InvalidNetwork, match="the other has none"):
        compare(named[0], named[2])


def test_too_stiff_a_network_is_not_run():
    stiff = Network([[0, 0, 1e-3], [1e-3, 0, 0], [0, 0, 0]], leak=[1.0, 1.0, 1e6])
    c = compare(stiff, stiff)
    assert c.trajectory_error == {"linear": None, "rectified": None}
    assert "time steps" in c.not_measured["trajectory_error"]


# --- large networks, without dense algebra


@pytest.fixture
def large(monkeypatch):
    for name in ("SYMMETRIC_SPECTRUM", "COVARIANCE", "DIRECTED_SPECTRUM"):
        monkeypatch.setattr(limits, name, 10)


def test_large_symmetric_networks_agree_with_dense_algebra(large):
    found = compare(SYMMETRIC, PRUNED)
    names = [f.name for f in fields(Comparison)]
    assert found.rayleigh_error["median"] is None
    assert "stops at 10 neurons" in found.not_measured["rayleigh_error"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "SYMMETRIC_SPECTRUM", 5000)
        dense = compare(SYMMETRIC, PRUNED)
    assert found.worst_direction == pytest.approx(dense.worst_direction, rel=0.01)
    assert found.eigenvalue_error["slowest"] == pytest.approx(dense.eigenvalue_error["slowest"], rel=1e-5)
    for name in names:
        if name in ("fixed_point_error", "decay_error", "spectral_abscissa_after", "trajectory_error", "orphans"):
            assert getattr(found, name) == pytest.approx(getattr(dense, name), rel=1e-5)


def test_large_directed_networks_agree_with_dense_algebra(large):
    found = compare(DIRECTED, DIRECTED_PRUNED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "DIRECTED_SPECTRUM", 5000)
        dense = compare(DIRECTED, DIRECTED_PRUNED)
    assert found.spectral_abscissa_after == pytest.approx(dense.spectral_abscissa_after, rel=1e-6)
    assert found.covariance_error is None
    assert found.fixed_point_error == pytest.approx(dense.fixed_point_error, rel=1e-5)


# --- reasons


def check_reasons(found):
    """Every measure that is None has its reason, and every reason belongs to one."""
    measures = found.to_dict()
    gone = set()
    for name, value in measures.items():
        if isinstance(value, dict) and name != "not_measured":
            entries = {key for key, entry in value.items() if entry is None}
            gone |= {name} if entries == set(value) and name in found.not_measured else {f"{name}.{k}" for k in entries}
        elif value is None:
            gone.add(name)
    assert gone == set(found.not_measured)
    assert all(found.not_measured.values())


@quiet
@pytest.mark.parametrize("dense", [True, False], ids=["dense", "large"])
@pytest.mark.parametrize("change", ["same", "weaker", "empty", "unstable", "from unstable", "lost", "huge"])
def test_every_measure_that_is_missing_has_its_reason(network, dense, change, monkeypatch):
    if not dense:
        if not 3 <= network.n_neurons <= 16 or change == "huge":
            pytest.skip("a few small networks suffice, and iterations on two neurons or such weights are no use case")
        for name in ("SYMMETRIC_SPECTRUM", "COVARIANCE", "DIRECTED_SPECTRUM"):
            monkeypatch.setattr(limits, name, 1)
    if change == "lost":

        def lost(*_, **__):
            raise DidNotConverge("it did not converge")

        for place in (
            "spectrum.spectral_abscissa",
            "spectrum.extreme_generalised",
            "side.slowest",
            "side.stationary_covariance",
        ):
            monkeypatch.setattr(f"noiseprune.measure.{place}", lost)
    links = network.link_matrix
    factor = {"weaker": 0.5, "unstable": 50.0, "from unstable": 50.0, "huge": 1e300}.get(change, 1.0)
    made = network.replace(links=sp.csr_array(links.shape) if change == "empty" else links * factor)
    pair = (made, network) if change == "from unstable" else (network, made)
    found = compare(*pair)
    check_reasons(found)
    if not found.symmetric:
        whys = {found.not_measured.get(name) for name in ("worst_direction", "worst_direction_interval")}
        assert whys == {"a measure of symmetric networks"}
    if change == "lost":
        assert "singular" not in str(found.not_measured)
        assert NO_STATE not in found.not_measured.values()


NO_STATE = "no stationary state is left"
