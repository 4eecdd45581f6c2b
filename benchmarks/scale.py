"""How fast, how right and how large are the sampled probes? One table a question; name some of them to run only these.

networkit   against NetworKit's SpanningEdgeCentrality (tol 0.3), the same 2 threads, error against 16 384 samples
growth      time from a million to a hundred million pairs, and how near a product is to what memory allows
whole       a hundred million pairs: probe, prune, file, and peak of memory; grouped and shuffled numbers
sheet       aggregation against diagonal conjugate gradients where slow modes crowd, and the bias on long-range pairs
compare     what a comparison takes and finds at these sizes, a fifth kept, beside what --dry-run foretells
directed    the chain against Euler-Maruyama replicas and time averages, at equal error
"""

from __future__ import annotations

from harness import RESULTS, paired, run_apart, save  # first: it pins the threads

import sys
import time

import numba
import numpy as np
from bandwidth import bandwidth
from networks import grouped, sheet_with_shortcuts

from noiseprune import Network, gallery, prune
from noiseprune.measure import compare as comparison
from noiseprune.dynamics.runs import Dynamics
from noiseprune.linalg import blocksolve
from noiseprune.linalg.blocks import Laplacian
from noiseprune.machine.speed import BLOCK_BYTES
from noiseprune.network.links import absolute_row_sums
from noiseprune.probes import Simulated, Sketched
from noiseprune.probes.differences import Links, SampleCounter

numba.set_num_threads(2)


def timed(call):
    """Result and seconds of one call."""
    start = time.perf_counter()
    result = call()
    return result, time.perf_counter() - start


def networkit() -> None:
    """NetworKit's is the only maintained estimator of leverages.

    Unit weights for both: on a weighted graph its approximation leaves the weights out of the random right-hand sides
    (11.3), and what comes out is no leverage.
    """
    try:
        import networkit as nk
    except ImportError:
        print("skipped: the rival is not here; pip install networkit")
        return

    nk.setNumberOfThreads(2)
    made = gallery.clustered([1000] * 20, within=0.0955, between=10_000, rng=1)
    links = made.link_matrix.copy()
    links.data = np.ones_like(links.data)
    net = Network.from_links(links, absolute_row_sums(links, True) + 1e-3, made.noise_std, symmetric=True)
    post, pre, weight = net.links
    graph = nk.GraphFromCoo(
        (weight, (post.astype(np.uint64), pre.astype(np.uint64))), n=net.n_neurons, weighted=False, directed=False
    )
    graph.indexEdges()
    rival = nk.centrality.SpanningEdgeCentrality(graph, tol=0.3)
    # 16 384 samples have an error of 0.011; that they agree with the exact probe is what the tests show
    fine = 2 * Sketched(samples=16_384, bias=1e-3).measure(net, rng=3).per_link
    ids = np.array([graph.edgeId(int(i), int(j)) for i, j in zip(post, pre, strict=True)])
    rows = []
    for samples in (64, 168):
        probe = Sketched(samples=samples)
        theirs, ours = paired(rival.runParallelApproximation, lambda probe=probe: probe.measure(net, rng=2), repeats=5)
        found, rivals = 2 * probe.measure(net, rng=2).per_link, np.array(rival.scores())[ids]
        error, rival_error = (float(np.sqrt(np.mean((x / fine - 1) ** 2))) for x in (found, rivals))
        rows.append(
            {
                "network": f"{net.n_neurons:,} neurons, {net.n_links:,} pairs",
                "our samples": samples,
                "NetworKit, s": round(float(np.median(theirs)), 2),
                "noiseprune, s": round(float(np.median(ours)), 3),
                "ratio of medians": round(float(np.median(theirs) / np.median(ours)), 1),
                "NetworKit, relative error": round(rival_error, 3),
                "noiseprune, relative error": round(error, 3),
            }
        )
    save("scale_networkit", rows)


def growth() -> None:
    """Mean degree 200, 20 clusters, float32; the limit counts entries x (8 + 4 k) + 24 n k bytes a product."""
    rows = []
    for neurons in (10_000, 31_600, 100_000, 316_000, 1_000_000):
        net = grouped(neurons, 100 * neurons)
        Sketched(samples=16).measure(net)  # compiles
        measured, seconds = timed(lambda net=net: Sketched().measure(net, rng=1))
        k = BLOCK_BYTES // 4
        operator = Laplacian(net.link_matrix, net.dominance_margin)
        x, y = (np.ones((neurons, k), np.float32) for _ in range(2))
        operator.product(x, y)
        product = min(timed(lambda o=operator, x=x, y=y: o.product(x, y))[1] for _ in range(3))
        limit = (2 * net.n_links * (8 + 4 * k) + 24 * neurons * k) / bandwidth(net, k)
        rows.append(
            {
                "neurons": neurons,
                "pairs": net.n_links,
                "64 samples, s": round(seconds, 2),
                "iterations of each block": ", ".join(map(str, measured.report["iterations"])),
                "product of 32 columns, s": round(product, 4),
                "product over its limit": round(product / limit, 2),
                "leverage sum, in standard errors": round(
                    (measured.report["leverage_sum"] - measured.report["leverage_expected"])
                    / measured.report["leverage_standard_error"],
                    2,
                ),
            }
        )
        save("scale_growth", rows)
    slope = np.polyfit(np.log([r["pairs"] for r in rows]), np.log([r["64 samples, s"] for r in rows]), 1)[0]
    print(f"time grows with the power {slope:.2f} of the pairs")
    chart(rows, slope)


def chart(rows: list[dict], slope: float) -> None:
    """Draw time against synapses."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "noiseprune"
    from matplotlib import pyplot as plt

    pairs, seconds = ([row[name] for row in rows] for name in ("pairs", "64 samples, s"))
    figure, axes = plt.subplots(figsize=(5.6, 3.4), layout="constrained")
    axes.loglog(pairs, seconds, "o-", color="#1f5f8b")
    axes.set(xlabel="synapse pairs", ylabel="seconds, 64 samples, 2 cores")
    axes.set_title(f"Difference variances: time grows as pairs$^{{{slope:.2f}}}$", fontsize=10, loc="left")
    axes.grid(alpha=0.3, which="both", linewidth=0.5)
    figure.savefig(RESULTS / "scale_growth.svg", metadata={"Date": None})


WHOLE = """
import sys; sys.path.insert(0, {folder!r})
import time, tempfile, pathlib, numba
numba.set_num_threads(2)
import noiseprune
from networks import grouped
net = grouped(1_000_000, 100_000_000, shuffled={shuffled})
noiseprune.probes.Sketched(samples=1).measure(grouped(10_000, 100_000))
start = time.perf_counter()
v = noiseprune.probes.Sketched().measure(net, rng=1)
probe = time.perf_counter() - start
del v
start = time.perf_counter()
result = noiseprune.prune(net, density=0.1, compare=False, rng=1)
with tempfile.TemporaryDirectory() as folder:
    noiseprune.write(result.network, pathlib.Path(folder) / "pruned.npz")
print("SECONDS", probe, time.perf_counter() - start, result.network.n_synapses, file=sys.stderr)
"""


def whole() -> None:
    """In a process of its own, whose peak is taken; the probe once alone, and once within the prune."""
    from pathlib import Path

    rows = []
    for shuffled in (False, True):
        code = WHOLE.format(folder=str(Path(__file__).parent), shuffled=shuffled)
        words, peak = run_apart(code)
        probe, prune, kept = next(line.split()[1:] for line in words.splitlines() if line.startswith("SECONDS"))
        rows.append(
            {
                "numbers": "shuffled" if shuffled else "grouped by cluster",
                "neurons": 1_000_000,
                "pairs": 100_000_000,
                "probe, s": round(float(probe), 1),
                "prune and file, s": round(float(prune), 1),
                "synapses kept": int(kept),
                "peak of the process, GiB": round(peak / 2**30, 1),
            }
        )
        save("scale_whole", rows)


def sheet() -> None:
    """The same random signs and the same stop for both preconditioners; the bias is against solves 1 000 times finer."""
    rows = []
    for side, rivals in ((400, True), (1000, False)):
        net, far = sheet_with_shortcuts(side)
        Sketched(samples=16).measure(net)
        ours, seconds = timed(lambda net=net: Sketched().measure(net, rng=1))
        fine = Sketched(bias=1e-4).measure(net, rng=1).per_link if rivals else None
        found = [("smoothed aggregation", ours, seconds)]
        if rivals:
            patience, blocksolve.DIAGONAL_PATIENCE = blocksolve.DIAGONAL_PATIENCE, blocksolve.MAX_ITERATIONS
            found.append(("diagonal", *timed(lambda net=net: Sketched().measure(net, rng=1))))
            blocksolve.DIAGONAL_PATIENCE = patience
        for name, measured, taken in found:
            bias = measured.per_link / fine - 1 if fine is not None else None
            rows.append(
                {
                    "neurons": net.n_neurons,
                    "pairs": net.n_links,
                    "preconditioner": name,
                    "iterations": ", ".join(map(str, measured.report["iterations"])),
                    "64 samples, s": round(taken, 1),
                    "ratio": round(taken / seconds, 1),
                    "mean bias": None if bias is None else round(float(bias.mean()), 5),
                    "mean bias, 200 long-range pairs": None if bias is None else round(float(bias[far].mean()), 5),
                    "largest bias of a pair": None if bias is None else round(float(np.abs(bias).max()), 4),
                }
            )
            save("scale_sheet", rows)


STEP = 0.04  # s: the bias of Euler-Maruyama, half of step times rate, is then about 2 %
LONG_STEP = 0.2  # s: that of Heun's step is then about 1.5 %
BURN_IN = 23.0  # s: the slowest mode, of rate 0.1, is then within 1 % of its variance


def euler(net: Network, replicas: int, *, average: bool, rng: int) -> tuple[np.ndarray, float]:
    """Replicas by Euler-Maruyama, on the same kernels: read at the end, or averaged until 64 samples are worth."""
    motion, random = Dynamics(net), np.random.default_rng(rng)
    links = Links(net, motion.dtype)
    x = np.zeros((net.n_neurons, replicas), motion.dtype)
    noise = (net.noise_std * np.sqrt(STEP)).astype(motion.dtype)[:, None]
    step = motion.dtype.type(STEP)

    def advance(steps: int) -> None:
        for _ in range(steps):
            x[:] += step * motion.drift(x) + noise * random.standard_normal(x.shape, dtype=x.dtype)

    total, states, counter = np.zeros(net.n_links), 0, SampleCounter(links, replicas, rng)
    advance(int(BURN_IN / STEP))
    while True:
        links.add_difference_squares(x, total)
        counter.add(x)
        states += 1
        if not average or counter.independent_samples() >= 64:
            return total / (states * replicas), counter.independent_samples()
        advance(int(0.5 / STEP))


def directed() -> None:
    """20 000 neurons, a million synapses, abscissa -0.1; bias of the mean of five runs against 8 000 samples."""
    rows = []
    for name, net in {
        "excitatory-inhibitory": gallery.excitatory_inhibitory(20_000, 0.0025, gain=0.9, rng=1),
        "positive": gallery.erdos_renyi(20_000, 0.0025, symmetric=False, gain=0.9, rng=1),
    }.items():
        net = Network.from_links(net.link_matrix.astype(np.float32), net.leak, net.noise_std, symmetric=False)
        reference = Sketched(samples=8000, bias=0.002).measure(net, rng=99).per_link
        methods = {
            "chain (what auto takes)": lambda rng, net=net: Sketched().measure(net, rng=rng).per_link,
            "64 Euler-Maruyama replicas, end states": lambda rng, net=net: euler(net, 64, average=False, rng=rng)[0],
            "Euler-Maruyama, time-averaged": lambda rng, net=net: euler(net, 16, average=True, rng=rng)[0],
            "second weak order (Simulated), time-averaged": lambda rng, net=net: (
                Simulated(replicas=16, step=LONG_STEP, burn_in=BURN_IN, duration=12.0).measure(net, rng=rng).per_link
            ),
        }
        chain_seconds = None
        for method, measure in methods.items():
            measure(0)
            runs = [timed(lambda seed=seed, measure=measure: measure(seed)) for seed in range(1, 6)]
            values = [value for value, _ in runs]
            seconds = float(np.median([taken for _, taken in runs]))
            chain_seconds = chain_seconds or seconds
            rows.append(
                {
                    "network": name,
                    "method": method,
                    "s": round(seconds, 2),
                    "over the chain": round(seconds / chain_seconds, 1),
                    "relative error": round(float(np.mean([np.std(v / reference) for v in values])), 3),
                    "mean bias of 5 runs": round(float(np.mean([np.mean(v / reference) for v in values]) - 1), 4),
                }
            )
            save("scale_directed", rows)


def compare() -> None:
    """The networks of `growth`, larger each time; the measures that need no dense algebra."""
    rows = []
    for neurons, pairs in ((100_000, 1_000_000), (400_000, 8_000_000), (1_000_000, 100_000_000)):
        net = grouped(neurons, pairs)
        foretold = comparison.cost(net).seconds
        result, prune_seconds = timed(lambda net=net: prune(net, density=0.2, compare=False, rng=1))
        result, seconds = timed(result.compared)
        found = result.comparison
        low, high = found.worst_direction_interval or (np.nan, np.nan)
        rows.append(
            {
                "neurons": neurons,
                "pairs": net.n_links,
                "prune, s": round(prune_seconds, 1),
                "compare, s": round(seconds, 1),
                "foretold, s": round(foretold, 1),
                "interval": f"{low:.3f} to {high:.3f}",
                "ten slowest": round(found.eigenvalue_error["slowest"], 3),
                "fixed points": round(found.fixed_point_error, 3),
                "noisy runs": round(found.trajectory_error["linear"], 3),
                "components": found.components_after,
            }
        )
        print(rows[-1], found.not_measured, flush=True)
        save("scale_compare", rows)


QUESTIONS = {
    "networkit": networkit,
    "growth": growth,
    "sheet": sheet,
    "directed": directed,
    "whole": whole,
    "compare": compare,
}

if __name__ == "__main__":
    for question in sys.argv[1:] or QUESTIONS:
        print(f"\n{question}", flush=True)
        QUESTIONS[question]()
