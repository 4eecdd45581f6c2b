import numpy as np
import pytest
import scipy.sparse as sp

from noiseprune import gallery
from noiseprune.errors import DidNotConverge, TooLarge
from noiseprune.linalg import memory
from noiseprune.linalg.solve import solver
from noiseprune.linalg.spectrum import rightmost, spectral_abscissa


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


@pytest.mark.parametrize("dense_limit", [0, 1000])
def test_solver_solves_small_and_large(dense_limit):
    for net in (gallery.clustered([50, 30], between=40, rng=43), gallery.excitatory_inhibitory(80, rng=44)):
        A, b = net.matrix(), np.random.default_rng(45).standard_normal((80, 3))
        x = solver(A, symmetric=net.symmetric, dense_limit=dense_limit)(b)
        assert np.linalg.norm(A @ x - b) < 1e-6 * np.linalg.norm(b)


def test_a_solver_that_does_not_converge_says_so():
    A = gallery.ring(4000, excess=1e-13).matrix()
    with pytest.raises(DidNotConverge, match="1000 rounds"):
        solver(A, symmetric=True, dense_limit=0)(np.arange(4000.0) - 1999.5)


def test_what_does_not_fit_is_refused_before_it_starts(monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 10**9)
    with pytest.raises(TooLarge, match=r"a huge thing needs about 2.0 GB .* 1.0 GB are available: take less"):
        memory.need(2e9, "a huge thing", "take less")
    memory.need(0.5e9, "a small thing", "take less")
