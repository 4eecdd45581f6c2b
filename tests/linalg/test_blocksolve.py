"""Solves on blocks of vectors against dense algebra, and the same bits with any number of threads."""

import subprocess
import sys

import numba
import numpy as np
import pytest

from noiseprune import Network, gallery
from noiseprune.dynamics.stationary import Inverse, solver
from noiseprune.errors import DidNotConverge, UnstableNetwork
from noiseprune.linalg import kernels
from noiseprune.linalg.blocks import Laplacian, parts
from noiseprune.linalg.krylov import conjugate_gradients, relative_residual
from noiseprune.linalg.preconditioners import Aggregation, Diagonal
from noiseprune.linalg.shiftsolve import Operator

NETWORKS = {
    "clusters": lambda: gallery.clustered([100, 60, 40], between=60, rng=51),
    "signed clusters": lambda: gallery.clustered([100, 60, 40], between=60, signed=True, rng=52),
    "sheet": lambda: gallery.sheet(20, 25, radius=2, excess=1e-4, rng=53),
    "ring": lambda: gallery.ring(600, excess=1e-3),
    "not dominant": lambda: gallery.clustered([100, 60], between=60, gain=0.9, rng=54),
}


@pytest.fixture(params=NETWORKS, ids=str)
def net(request):
    return NETWORKS[request.param]()


def test_products_and_solves_are_those_of_the_matrix(net):
    A, x = -net.matrix().toarray(), np.random.default_rng(55).standard_normal((net.n_neurons, 5))
    operator = Inverse(net)
    assert np.allclose(operator.product(x), A @ x, rtol=1e-12, atol=1e-12)
    for b in (x, x[:, 0]):
        expected = np.linalg.solve(A, b)
        assert np.linalg.norm(operator.solve(b) - expected) < 1e-6 * np.linalg.norm(expected)


def test_the_preconditioner_is_chosen_by_what_the_first_block_needs():
    for name, expected in (("clusters", "diagonal"), ("ring", "smoothed aggregation")):
        made = solver(NETWORKS[name]())
        b = np.random.default_rng(56).standard_normal((made.operator.n, 8))
        made.solve(b, relative_residual(1e-8))
        assert made.preconditioner.startswith(expected)
        assert made.iterations[0] <= 60


def test_slow_modes_are_learnt_once_and_the_next_block_takes_fewer_iterations():
    made = solver(gallery.clustered([200, 150, 150, 100], within=0.3, between=100, rng=57))
    random = np.random.default_rng(58)
    for _ in range(3):
        made.solve(random.standard_normal((600, 16)), relative_residual(1e-2))
    assert "slow modes" in made.preconditioner
    assert made.iterations[-1] < made.iterations[0]


def test_aggregation_is_symmetric_and_leaves_the_global_generator_alone():
    net = NETWORKS["sheet"]()
    operator = Laplacian(net.link_matrix, net.dominance_margin)
    np.random.seed(59)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    cycle = Aggregation(operator, np.ones(net.n_neurons))
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002
    identity, M = np.eye(net.n_neurons), np.empty((net.n_neurons, net.n_neurons))
    cycle.apply(identity, M)
    assert np.allclose(M, M.T, atol=1e-10 * np.abs(M).max())
    assert np.linalg.eigvalsh((M + M.T) / 2).min() > 0


def test_a_direction_of_negative_curvature_is_no_solution():
    net = Network([[0, 3.0], [3.0, 0]], leak=1.0)
    operator = Laplacian(net.link_matrix, net.dominance_margin)
    with pytest.raises(DidNotConverge, match="not stable"):
        conjugate_gradients(
            operator, np.array([[1.0], [1.1]]), Diagonal(operator), relative_residual(1e-8), max_iterations=9
        )


def test_what_does_not_converge_says_how_far_it_came(monkeypatch):
    monkeypatch.setattr("noiseprune.linalg.blocksolve.MAX_ITERATIONS", 3)
    monkeypatch.setattr("noiseprune.linalg.blocksolve.DIAGONAL_PATIENCE", 2)
    monkeypatch.setattr("noiseprune.linalg.blocksolve.AGGREGATION_PATIENCE", 1)
    with pytest.raises(DidNotConverge, match=r"came to .* of the first residual in 3 iterations .* raise the leak"):
        Inverse(NETWORKS["ring"]()).solve(np.arange(600.0))


def test_a_singular_network_is_refused_and_a_frustrated_one_is_not():
    with pytest.raises(UnstableNetwork, match="zero up to rounding"):
        solver(gallery.ring(20, excess=0.0))
    flipped = np.ones(20)
    flipped[::2] = -1
    balanced = gallery.ring(20, excess=0.0).weights.toarray() * np.outer(flipped, flipped)
    with pytest.raises(UnstableNetwork):
        solver(Network(balanced, leak=2.0))
    balanced[0, 19] = balanced[19, 0] = -balanced[0, 19]
    solver(Network(balanced, leak=2.0))


def test_components_and_their_sides():
    weights = np.zeros((6, 6))
    for i, j, w in ((0, 1, -1.0), (1, 2, 1.0), (0, 2, -1.0), (3, 4, 1.0), (4, 5, 1.0), (3, 5, -1.0)):
        weights[i, j] = weights[j, i] = w
    net = Network(weights, leak=3.0)
    component, side, frustrated = np.empty(6, np.int64), np.empty(6, np.int8), np.empty(6, np.bool_)
    kernels.signed_components(parts(net.link_matrix), component, side, frustrated)
    assert component.tolist() == [0, 0, 0, 3, 3, 3]
    assert (side[:3] * side[0]).tolist() == [1, -1, -1]
    assert frustrated[[0, 3]].tolist() == [False, True]


def test_shifted_systems_of_directed_networks():
    net = gallery.excitatory_inhibitory(200, rng=60)
    operator = Operator(net.weights, net.leak)
    b = np.random.default_rng(61).standard_normal((200, 4))
    for shift in (0.0, 0.3, 10.0):
        x, products = operator.solve(b, shift, 1e-8)
        expected = np.linalg.solve(shift * np.eye(200) - net.matrix().toarray(), b)
        assert np.linalg.norm(x - expected) < 1e-5 * np.linalg.norm(expected)
        assert products > 0


def test_gmres_that_stalls_says_how_far_it_came(monkeypatch):
    monkeypatch.setattr("noiseprune.linalg.shiftsolve.RESTART", 2)
    monkeypatch.setattr("noiseprune.linalg.shiftsolve.MAX_RESTARTS", 2)
    net = gallery.excitatory_inhibitory(200, rng=60)
    with pytest.raises(DidNotConverge, match=r"GMRES came to .* at the shift 0.1 1/s"):
        Operator(net.weights, net.leak).solve(np.ones((200, 1)), 0.1, 1e-8)


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="needs two cores")
def test_the_same_bits_with_any_number_of_threads():
    code = """
import sys, hashlib
from noiseprune import gallery, prune
net = gallery.clustered([3000, 2500], within=0.01, between=3000, rng=62)
result = prune(net, density=0.3, compare=False, threads=int(sys.argv[1]), rng=63)
assert "Sketched" in result.variance.source
print(hashlib.sha256(result.variance.per_link.tobytes() + result.network.link_matrix.data.tobytes()).hexdigest())
"""
    digests = {
        subprocess.run([sys.executable, "-c", code, n], capture_output=True, text=True, check=True).stdout for n in "12"
    }
    assert len(digests) == 1


def test_a_cache_folder_that_cannot_be_written_to_is_no_error(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    code = """
import numpy as np
from noiseprune.linalg import kernels
rows, x = np.array([0, 3]), np.ones((3, 2))
dots = np.empty((1, 2))
kernels.column_dots(rows, x, x, dots)
print(dots.tolist())
"""
    import os

    env = {**os.environ, "NUMBA_CACHE_DIR": str(blocked / "inside"), "HOME": str(blocked)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.strip() == "[[3.0, 3.0]]"
