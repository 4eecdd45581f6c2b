import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noiseprune.rules.budget import water_filling
from noiseprune.rules.draw import fixed, independent


def probabilities(importance: np.ndarray, target: int) -> np.ndarray:
    return np.minimum(1, water_filling(importance, target) * importance)


def test_independent_draws_keep_where_the_uniform_lies_below():
    p = np.array([0.0, 0.3, 1.0])
    assert independent(p, np.random.default_rng(1)).tolist() == (np.random.default_rng(1).random(3) < p).tolist()


@given(
    st.lists(st.one_of(st.floats(1e-9, 1.0), st.floats(1 - 1e-12, 1.0)), min_size=2, max_size=60).map(np.array),
    st.floats(0.05, 0.95),
    st.integers(0, 2**32),
)
def test_a_fixed_draw_keeps_exactly_the_target(r, share, seed):
    target = max(1, round(share * r.size))
    p = probabilities(r, target)
    kept = fixed(p, np.random.default_rng(seed))
    assert np.count_nonzero(kept) == target
    assert np.all(kept[p == 1])


def test_a_fixed_draw_of_all_or_none():
    rng = np.random.default_rng(2)
    assert fixed(np.ones(4), rng).all()
    assert not fixed(np.zeros(4), rng).any()


def test_probabilities_a_rounding_below_one_still_give_the_exact_count():
    p = np.full(200, 1 - 1e-16 * 4)
    for seed in range(200):
        assert np.count_nonzero(fixed(p, np.random.default_rng(seed))) == 200


def test_a_fixed_draw_of_a_sum_that_is_not_whole_is_unbiased():
    """20 000 draws; takes about half a second."""
    p, rng, n_draws = np.full(10, 0.145), np.random.default_rng(5), 20_000
    counts = sum(fixed(p, rng).astype(int) for _ in range(n_draws))
    assert set(np.unique([fixed(p, rng).sum() for _ in range(100)])) == {1, 2}
    assert np.all(np.abs(counts - n_draws * p) < 5 * np.sqrt(n_draws * p * (1 - p)))


@pytest.mark.parametrize("draw", [independent, fixed])
def test_inclusion_frequencies_match_the_probabilities(draw):
    """20 000 draws; takes about a second."""
    p = probabilities(np.random.default_rng(3).lognormal(0, 1.5, 60), 20)
    n_draws = 20_000
    rng = np.random.default_rng(4)
    counts = sum(draw(p, rng).astype(int) for _ in range(n_draws))
    error = np.sqrt(n_draws * p * (1 - p))
    assert np.all(np.abs(counts - n_draws * p) <= 5 * error + 1e-6)
