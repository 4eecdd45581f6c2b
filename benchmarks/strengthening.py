"""What do matched and regressed weights preserve that 1/p does not?

Ten draws each, the same wiring for every method; the networks of the paper and of its critics. The last table is the one
that chose the ensemble of the regression: slow noise alone is better than 1/p in all of covariance, fixed points and slowest
modes on directed clusters.
"""

from __future__ import annotations

from harness import save  # first: it pins the threads

import time
import warnings

import numpy as np

import noiseprune
from noiseprune import gallery
from noiseprune.measure.compare import Reference
from noiseprune.network import Network
from noiseprune.dynamics.stationary import Inverse
from noiseprune.linalg.spectrum import extreme_generalised
from noiseprune.probes import Sketched
from noiseprune.dynamics.ensembles import second_moments
from noiseprune.strengthenings import regressed
from noiseprune.strengthenings.regression import ENSEMBLES

DRAWS = 10
STABILITY_DRAWS = 50
warnings.simplefilter("ignore", noiseprune.NoisePruneWarning)  # what they say is what is counted here


def sizes(n: int) -> list[int]:
    return [n // 2, n // 10, n - n // 2 - n // 10]


def median(found: list, value) -> float | None:
    numbers = [x for x in map(value, found) if x is not None]
    return round(float(np.median(numbers)), 4) if numbers else None


def electrical() -> list[dict[str, object]]:
    rows = []
    for n, signed, density, connected, draws in (
        (500, False, 0.05, True, DRAWS),
        (500, False, 0.2, False, DRAWS),
        (500, True, 0.2, False, DRAWS),
        (500, True, 0.05, False, DRAWS),
        (2000, True, 0.1, False, DRAWS),
    ):
        net = gallery.clustered(sizes(n), within=0.6, between=5 * n, signed=signed, rng=1)
        reference = Reference(net, rng=1)
        for method, leak in (("reciprocal", "auto"), ("matched", "auto"), ("matched", "free")):
            found, seconds, missing = [], [], 0
            for seed in range(draws):
                start = time.perf_counter()
                try:
                    result = noiseprune.prune(
                        net,
                        density=density,
                        strengthen=method,
                        leak=leak,
                        keep_connected=connected,
                        compare=False,
                        rng=seed,
                    )
                except noiseprune.NoisePruneError:
                    missing += 1
                    continue
                seconds.append(time.perf_counter() - start)
                found.append(reference.compare(result.network))
            low, high = np.mean([c.worst_direction_interval for c in found], axis=0)
            reference_interval = found[0].ramanujan_reference
            rows.append(
                {
                    "network": f"{'signed' if signed else 'positive'}, n = {n}{', kept connected' if connected else ''}",
                    "kept": f"{100 * density:g} %",
                    "weights": method + (", free leak" if leak == "free" else ""),
                    "interval, mean": f"{low:.3f} - {high:.3f}",
                    "Ramanujan": f"{reference_interval[0]:.2f} - {reference_interval[1]:.2f}",
                    "median error": median(found, lambda c: c.eigenvalue_error["median"]),
                    "ten slowest": median(found, lambda c: c.eigenvalue_error["slowest"]),
                    "KL per neuron": median(found, lambda c: c.kl_per_neuron),
                    "s": round(float(np.median(seconds)), 2),
                    "refused": missing,
                }
            )
    return rows


def directed_networks() -> dict[str, tuple[Network, float]]:
    ei = gallery.excitatory_inhibitory(500, gain=0.9, rng=1)
    clusters = gallery.clustered(sizes(500), within=0.3, between=2500, symmetric=False, signed=True, gain=0.9, rng=1)
    return {
        "excitatory-inhibitory, 10 %": (ei, 0.1),
        "excitatory-inhibitory, 20 %": (ei, 0.2),
        "directed clustered, 10 %": (clusters, 0.1),
    }


def directed_row(network: str, weights: str, found: list) -> dict[str, object]:
    return {
        "network": network,
        "weights": weights,
        "stable": f"{sum(bool(c.stable_after) for c in found)} of {len(found)}",
        "abscissa": median(found, lambda c: c.spectral_abscissa_after),
        "covariance": median(found, lambda c: c.covariance_error),
        "fixed point": median(found, lambda c: c.fixed_point_error),
        "decay": median(found, lambda c: c.decay_error),
        "ten slowest": median(found, lambda c: c.eigenvalue_error["slowest"]),
        "trajectory": median(found, lambda c: c.trajectory_error["linear"]),
    }


def directed_rows() -> list[dict[str, object]]:
    rows = []
    for name, (net, density) in directed_networks().items():
        reference = Reference(net, rng=1)
        for method, leak in (("reciprocal", "auto"), ("regressed", "auto"), ("regressed", "free")):
            found = [
                reference.compare(
                    noiseprune.prune(
                        net, density=density, strengthen=method, leak=leak, compare=False, rng=seed
                    ).network
                )
                for seed in range(STABILITY_DRAWS if "10" in name and method == "regressed" else DRAWS)
            ]
            rows.append(directed_row(name, method + (", free leak" if leak == "free" else ""), found))
    return rows


def ensemble_rows() -> list[dict[str, object]]:
    rows = []
    for name, (net, density) in directed_networks().items():
        reference = Reference(net, rng=1)
        starts = [
            noiseprune.prune(net, density=density, strengthen="reciprocal", compare=False, rng=seed).network
            for seed in range(DRAWS)
        ]
        for ensemble in ENSEMBLES:
            moments = second_moments(net, ensemble)
            done = [regressed(net, start.link_matrix, moments) for start in starts]
            found = [reference.compare(net.replace(links=d.links, leak=d.leak)) for d in done]
            rows.append(directed_row(name, ensemble, found))
    return rows


def large_rows() -> list[dict[str, object]]:
    """Towards sampled targets, where no dense matrix fits: the same v, the same wiring, with and without matching."""
    net = gallery.clustered([1000] * 20, within=0.1, between=10_000, signed=True, rng=1)
    rows = []
    for samples in (512, 64):
        probe = Sketched(samples=samples)
        upper: dict[str, list[float]] = {}
        for strengthen in ("reciprocal", "matched"):
            seconds, ends = [], []
            for seed in range(5):
                start = time.perf_counter()
                result = noiseprune.prune(
                    net,
                    density=0.1,
                    probe=probe,
                    strengthen=strengthen,
                    keep_connected=True,
                    compare=False,
                    rng=seed,
                )
                seconds.append(time.perf_counter() - start)
                A, B = Inverse(net), Inverse(result.network)
                ends.append(extreme_generalised(A.product, B.product, A.solve, A.roughly, net.n_neurons))
            upper[strengthen] = [high for _, high in ends]
            narrower = (np.mean(upper["reciprocal"]) - 1) / (np.mean(upper[strengthen]) - 1)
            rows.append(
                {
                    "samples of the target": samples,
                    "weights": strengthen,
                    "interval, mean of 5 draws": f"{np.mean([low for low, _ in ends]):.3f} - {np.mean(upper[strengthen]):.3f}",
                    "upper end less one, times smaller": round(float(narrower), 2),
                    "draws better than 1/p": sum(
                        m < r for m, r in zip(upper[strengthen], upper["reciprocal"], strict=True)
                    ),
                    "prune, s": round(float(np.median(seconds)), 2),
                }
            )
    return rows


if __name__ == "__main__":
    save("matched_large", large_rows())
    save("matched", electrical())
    save("regressed", directed_rows())
    save("ensembles", ensemble_rows())
