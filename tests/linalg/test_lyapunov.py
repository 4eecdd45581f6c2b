import numpy as np
import pytest
import scipy.linalg

from noiseprune import gallery
from noiseprune.errors import UnstableNetwork
from noiseprune.linalg import lyapunov
from noiseprune.linalg.lyapunov import solve_lyapunov
from tests.naive import covariance


def oscillating(n: int, damping: float) -> np.ndarray:
    """Eigenvalues -damping +- i k: lightly damped oscillators."""
    A = -damping * np.eye(2 * n)
    for k in range(n):
        A[2 * k, 2 * k + 1], A[2 * k + 1, 2 * k] = k + 1, -(k + 1)
    mixing = np.random.default_rng(91).standard_normal((2 * n, 2 * n)) / 20 + np.eye(2 * n)
    return mixing @ A @ np.linalg.inv(mixing)


CASES = {
    "excitatory-inhibitory": lambda: gallery.excitatory_inhibitory(120, rng=92).matrix().toarray(),
    "clustered": lambda: gallery.clustered([60, 40], symmetric=False, between=50, gain=0.99, rng=93).matrix().toarray(),
    "lightly damped": lambda: oscillating(20, 0.01),
    "rates over six orders": lambda: np.diag(-(10.0 ** np.linspace(-3, 3, 30))) + np.triu(np.ones((30, 30)), 1) * 1e-3,
    "one neuron": lambda: np.array([[-2.0]]),
}


@pytest.mark.parametrize("case", CASES)
def test_doubling_agrees_with_scipy(case):
    A = CASES[case]()
    q = np.random.default_rng(94).random(len(A)) + 0.1
    solution = solve_lyapunov(A, q)
    expected = scipy.linalg.solve_continuous_lyapunov(A, -np.diag(q))
    assert solution.method == "Cayley transform and doubling"
    assert solution.residual < 1e-10
    assert np.linalg.norm(solution.covariance - expected) <= 1e-8 * np.linalg.norm(expected)
    assert np.array_equal(solution.covariance, solution.covariance.T)


def test_it_solves_the_equation_as_written():
    A, q = gallery.excitatory_inhibitory(12, rng=95).matrix().toarray(), np.arange(1.0, 13)
    assert np.allclose(solve_lyapunov(A, q).covariance, covariance(A, np.sqrt(q)), rtol=1e-10)


def test_a_neuron_without_noise_of_its_own_is_no_trouble():
    A = np.array([[-1.0, 0.0], [0.5, -2.0]])
    C = solve_lyapunov(A, np.array([1.0, 0.0])).covariance
    assert np.allclose(C, covariance(A, np.array([1.0, 0.0])))


@pytest.mark.parametrize(
    "A",
    [
        np.array([[0.1, 0.0], [0.0, -1.0]]),
        np.array([[0.0, 1.0], [0.0, -1.0]]),
        np.array([[0.0, 1.0], [-1.0, 0.0]]),
        np.array([[0.3, 1.0], [-1.0, 0.3]]),
    ],
)
def test_no_solution_is_returned_for_an_unstable_operator(A):
    with pytest.raises(UnstableNetwork, match="spectral abscissa is"):
        solve_lyapunov(A, np.ones(2))


def test_instability_shows_where_no_noise_reaches_it():
    A = np.array([[-1.0, 0.0], [0.0, 0.5]])
    with pytest.raises(UnstableNetwork, match=r"\+0.5"):
        solve_lyapunov(A, np.array([1.0, 0.0]))


@pytest.mark.parametrize(
    ("A", "q"),
    [
        (np.roll(np.eye(50), 1, 0) - np.eye(50), np.ones(50)),
        (np.array([[-1.0, 0, 0], [0, -1, 1], [0, 1, -1]]), np.array([1.0, 0, 0])),
    ],
    ids=["ring", "out of reach of the noise"],
)
def test_an_abscissa_of_zero_up_to_rounding_is_unstable(A, q):
    with pytest.raises(UnstableNetwork):
        solve_lyapunov(A, q)


def test_where_doubling_fails_the_fallback_says_so(monkeypatch, caplog):
    monkeypatch.setattr(lyapunov, "MAX_DOUBLINGS", 2)
    A, q = gallery.excitatory_inhibitory(30, rng=96).matrix().toarray(), np.ones(30)
    solution = solve_lyapunov(A, q)
    assert solution.method.startswith("Bartels-Stewart")
    assert "using Bartels-Stewart" in caplog.text
    assert np.allclose(solution.covariance, covariance(A, np.ones(30)))
