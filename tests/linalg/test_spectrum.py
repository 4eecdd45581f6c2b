import numpy as np
import pytest
import scipy.linalg
import scipy.sparse as sp

from noiseprune import gallery
from noiseprune.dynamics.stationary import Inverse
from noiseprune.errors import DidNotConverge, TooLarge
from noiseprune.linalg.spectrum import extreme_generalised, rightmost, slowest, spectral_abscissa
from noiseprune.machine import memory


@pytest.mark.parametrize(
    "net",
    [
        gallery.clustered([50, 30], between=40, rng=41),
        gallery.excitatory_inhibitory(80, rng=42),
    ],
    ids=["symmetric", "directed"],
)
def test_arpack_finds_what_lapack_finds(net):
    A = net.matrix()
    dense = spectral_abscissa(A, symmetric=net.symmetric)
    assert np.isclose(dense, np.max(np.linalg.eigvals(A.toarray()).real))
    assert np.isclose(spectral_abscissa(A, symmetric=net.symmetric, dense_limit=0), dense)
    assert rightmost(A, 3, symmetric=net.symmetric).shape == (3,)


def test_feed_forward_networks_have_the_eigenvalues_of_their_diagonal():
    random = np.random.default_rng(46)
    W = np.triu(random.random((400, 400)) * (random.random((400, 400)) < 0.05), 1)
    order = random.permutation(400)
    for diagonal in (0.0, -1.0):
        A = sp.csr_array(W[order][:, order] + diagonal * np.eye(400))
        assert spectral_abscissa(A, symmetric=False, dense_limit=0) == diagonal


@pytest.mark.parametrize(
    "net",
    [
        gallery.clustered([150, 130], between=100, rng=43),
        gallery.ring(400, 2, excess=1e-3),  # crowded slow modes: only Lanczos on the inverse finds them
        gallery.sheet(15, 20, radius=2, excess=1e-4, rng=44),
    ],
    ids=["clusters", "ring", "sheet"],
)
@pytest.mark.parametrize("rounds", [4, 0], ids=["LOBPCG", "Lanczos"])
def test_slowest_modes_are_those_of_lapack(net, rounds, monkeypatch):
    monkeypatch.setattr("noiseprune.linalg.spectrum.LOBPCG_ROUNDS", rounds)
    expected = np.sort(np.linalg.eigvalsh(-net.matrix().toarray()))[:10]
    assert np.allclose(ten_slowest(net), expected, rtol=1e-4)


def ten_slowest(net):
    A, shift = Inverse(net), 0.9999 * net.dominance_margin.min()
    return slowest(
        A.product, A.roughly, net.n_neurons, 10, shift=shift, shifted_solve=lambda: Inverse(net, shift).solve
    )


@pytest.mark.parametrize("rounds", [4, 0], ids=["LOBPCG", "Lanczos"])
def test_the_worst_direction_is_that_of_lapack(rounds, monkeypatch):
    monkeypatch.setattr("noiseprune.linalg.spectrum.LOBPCG_ROUNDS", rounds)
    net, other = (gallery.clustered([150, 130], between=100, rng=seed) for seed in (43, 47))
    A, B = Inverse(net), Inverse(other)
    found = extreme_generalised(A.product, B.product, A.solve, A.roughly, net.n_neurons)
    expected = scipy.linalg.eigvalsh(-other.matrix().toarray(), -net.matrix().toarray())[[0, -1]]
    assert np.allclose(found, expected, rtol=1e-3)


def test_directions_that_pruning_nearly_lost_are_found_without_lanczos(monkeypatch):
    """Pieces that were cut off crowd at g = 0, where digits relative to g would be asked for in vain."""
    monkeypatch.setattr("scipy.sparse.linalg.eigsh", lambda *_, **__: pytest.fail("Lanczos was needed"))
    net = gallery.clustered([300, 200], between=200, signed=True, rng=43)
    post, pre, weight = net.links
    stays = np.random.default_rng(44).random(weight.size) < 0.03
    W = sp.csr_array((weight[stays] / 0.03, (post[stays], pre[stays])), shape=(500, 500))
    W = W + W.T
    other = sp.diags_array(abs(W).sum(axis=1) + 1e-6) - W
    A = Inverse(net)
    found = extreme_generalised(A.product, lambda x: other @ x, A.solve, A.roughly, net.n_neurons)
    expected = scipy.linalg.eigvalsh(other.toarray(), -net.matrix().toarray())[[0, -1]]
    assert expected[0] < 1e-3
    assert np.allclose(found, expected, atol=5e-3)


def test_lanczos_that_finds_nothing_says_so(monkeypatch):
    monkeypatch.setattr("noiseprune.linalg.spectrum.PATIENCE", 1)
    monkeypatch.setattr("noiseprune.linalg.spectrum.LOBPCG_ROUNDS", 0)
    net = gallery.ring(4000, excess=1e-3)
    A = Inverse(net)
    with pytest.raises(DidNotConverge, match="the 10 slowest modes of a network of 4000"):
        slowest(A.product, lambda x: x, 4000, 10, shift=0.0, shifted_solve=lambda: A.product)


def test_what_does_not_fit_is_refused_before_it_starts(monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 10**9)
    with pytest.raises(TooLarge, match=r"a huge thing needs about 2.0 GB .* 1.0 GB are available: take less"):
        memory.require_memory(2e9, "a huge thing", "take less")
    memory.require_memory(0.5e9, "a small thing", "take less")
