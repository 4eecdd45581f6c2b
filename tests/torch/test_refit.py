import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install torch (see the README for its CPU build)")

from noiseprune.torch.refit import reciprocal, regress, saliencies
from noiseprune.torch.selection import choose, row_targets


def problem(seed: int, n: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights with empty diagonal, what is offered, and second moments with a ridge."""
    rng = np.random.default_rng(seed)
    weights = rng.standard_normal((n, n))
    np.fill_diagonal(weights, 0)
    samples = rng.standard_normal((40, n)) @ rng.standard_normal((n, n))
    return weights, ~np.eye(n, dtype=bool), samples.T @ samples / 40 + 0.1 * np.eye(n)


def brain_surgeon(w: np.ndarray, inputs: list[int], H: np.ndarray, least: int) -> dict[int, float]:
    """Hassibi and Stork word by word: invert, take out the cheapest weight, correct the others, start again."""
    w, inputs, cost, dearest = w.copy(), list(inputs), {}, 0.0
    while len(inputs) > least:
        inverse = np.linalg.inv(H[np.ix_(inputs, inputs)])
        saliency = [w[q] ** 2 / inverse[k, k] for k, q in enumerate(inputs)]
        k = int(np.argmin(saliency))
        q = inputs[k]
        w[inputs] -= w[q] / inverse[k, k] * inverse[:, k]
        dearest = max(dearest, saliency[k])
        cost[q] = dearest
        inputs.pop(k)
    return cost


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_prices_taken_one_by_one_are_those_of_the_brain_surgeon(seed):
    weights, offered, H = problem(seed)
    weights[2, 5] = 0.0
    offered[2, 5] = False  # pruned before
    found = saliencies(weights, offered, H, down_to=0.0, stage=0.0)
    for row, w in enumerate(weights):
        inside = [int(j) for j in np.flatnonzero(offered[row])]
        expected = brain_surgeon(w, inside, H, least=1)
        assert np.allclose([found[row, j] for j in expected], list(expected.values()), rtol=1e-9)
    assert np.all(found[~offered] == 0)


def test_the_last_of_a_row_are_never_cheaper_than_what_went_before():
    weights, offered, H = problem(6)
    found = saliencies(weights, offered, H, down_to=0.5, stage=0.2)
    kept = found >= np.sort(found, axis=1)[:, -5:-4]
    for row in range(len(weights)):
        assert found[row, kept[row]].min() > found[row, ~kept[row] & offered[row]].max()


def test_refitted_weights_are_least_squares_on_the_data():
    rng = np.random.default_rng(7)
    x = rng.standard_normal((500, 9)) @ rng.standard_normal((9, 9)) + 3
    weights = rng.standard_normal((4, 9))
    kept = rng.random((4, 9)) < 0.5
    y = x @ weights.T + 0.7
    centred = x - x.mean(axis=0)
    found = regress(weights, kept, centred.T @ centred / len(x))
    for row in range(4):
        design = np.column_stack([x[:, kept[row]], np.ones(len(x))])
        expected = np.linalg.lstsq(design, y[:, row], rcond=None)[0]
        assert np.allclose(found[row, kept[row]], expected[:-1], rtol=1e-9)
        bias = 0.7 + (weights[row] - found[row]) @ x.mean(axis=0)
        assert np.isclose(bias, expected[-1], rtol=1e-9)
    assert np.all(found[~kept] == 0)


def test_the_ridge_stands_for_errors_of_the_inputs():
    """H = M + ridge I is the least squares fit on inputs with noise of their own."""
    weights, offered, M = problem(8)
    kept = offered & (np.random.default_rng(9).random(offered.shape) < 0.4)
    found = regress(weights, kept, M + 0.2 * np.eye(len(M)))
    half = np.linalg.cholesky(M)
    data = np.vstack([half.T, np.sqrt(0.2) * np.eye(len(M))])
    for row, keeps in enumerate(kept):
        expected = np.linalg.lstsq(data[:, keeps], data @ weights[row], rcond=None)[0]
        assert np.allclose(found[row, keeps], expected, rtol=1e-9)


def test_reciprocal_is_unbiased_and_its_cap_a_quantile():
    weights = np.array([[1.0, -2.0, 3.0, 4.0]])
    p = np.array([[0.5, 0.25, 1.0, 0.1]])
    kept = np.array([[True, True, True, False]])
    assert np.array_equal(reciprocal(weights, kept, p), [[2.0, -8.0, 3.0, 0.0]])
    assert np.array_equal(reciprocal(weights, kept, p, cap=0.5), [[2.0, -4.0, 3.0, 0.0]])


@pytest.mark.parametrize("per", ["row", "block", "global"])
@pytest.mark.parametrize("draw", ["topk", "fixed"])
def test_exactly_the_target_is_kept(per, draw):
    rng = np.random.default_rng(10)
    scores = [rng.random((6, 6)), rng.random((4, 8))]
    offered = [~np.eye(6, dtype=bool), np.ones((4, 8), dtype=bool)]
    chosen = choose(scores, offered, [11, 13], per=per, draw=draw, certain=False, rng=np.random.default_rng(11))
    counts = [int(kept.sum()) for kept, _ in chosen]
    assert sum(counts) == 24
    assert per == "global" or counts == [11, 13]
    assert all(not kept[~allowed].any() for (kept, _), allowed in zip(chosen, offered, strict=True))


def test_the_largest_are_kept_within_rows_blocks_or_all():
    scores, offered = (
        [np.array([[9.0, 8.0], [1.0, 2.0]]), np.array([[7.0, 3.0]])],
        [np.ones((2, 2), bool), np.ones((1, 2), bool)],
    )

    def kept(per: str) -> list[list[list[bool]]]:
        chosen = choose(scores, offered, [2, 1], per=per, draw="topk", certain=True, rng=np.random.default_rng(12))
        return [keeps.tolist() for keeps, _ in chosen]

    assert kept("row") == [[[True, False], [False, True]], [[True, False]]]
    assert kept("block") == [[[True, True], [False, False]], [[True, False]]]
    assert kept("global") == [[[True, True], [False, False]], [[True, False]]]


def test_a_row_that_has_too_little_passes_its_share_on():
    assert row_targets(np.array([4, 1, 4, 4]), 9).tolist() == [3, 1, 3, 2]
    assert row_targets(np.array([2, 2]), 4).tolist() == [2, 2]
    assert row_targets(np.array([2, 2]), 0).tolist() == [0, 0]
