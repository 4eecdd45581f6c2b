"""The paper transcribed word by word, with loops and a dense inverse: slow, and hard to get wrong."""

from __future__ import annotations

import numpy as np


def covariance(A: np.ndarray, noise_std: np.ndarray) -> np.ndarray:
    """Solve A C + C A^T = -diag(sigma^2) as n^2 linear equations."""
    n = len(A)
    eye = np.eye(n)
    equations = np.kron(A, eye) + np.kron(eye, A)
    return np.linalg.solve(equations, -np.diag(noise_std**2).ravel()).reshape(n, n)


def symmetric_covariance(A: np.ndarray, noise_std: float) -> np.ndarray:
    """C = (sigma^2 / 2) (-A)^-1."""
    return noise_std**2 / 2 * np.linalg.inv(-A)


def difference_variance(A: np.ndarray, C: np.ndarray) -> dict[tuple[int, int], float]:
    """v_ij for each synapse (post i, pre j)."""
    v = {}
    for i in range(len(A)):
        for j in range(len(A)):
            if i != j and A[i, j] != 0:
                v[i, j] = C[i, i] + C[j, j] - 2 * np.sign(A[i, j]) * C[i, j]
    return v


def prune_symmetric(A: np.ndarray, noise_std: float, K: float, uniforms: dict[tuple[int, int], float]) -> np.ndarray:
    """Section 2 of the paper with matched leak; one uniform number a pair (i > j)."""
    v = difference_variance(A, symmetric_covariance(A, noise_std))
    pruned = np.zeros_like(A)
    for (i, j), value in v.items():
        if i > j:
            p = min(1.0, K * abs(A[i, j]) * value)
            if uniforms[i, j] < p:
                pruned[i, j] = pruned[j, i] = A[i, j] / p
    for i in range(len(A)):
        before = sum(abs(A[i, j]) for j in range(len(A)) if j != i)
        after = sum(abs(pruned[i, j]) for j in range(len(A)) if j != i)
        pruned[i, i] = A[i, i] + before - after
    return pruned
