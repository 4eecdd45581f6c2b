"""How fast are the exact probe and a whole prune, against the LAPACK and SciPy calls that they cannot do without?

Best of five, in turn with the rival, two threads. Targets: v at all synapses at most 1.3 times dpotrf + dpotri of the
same size; a whole prune without comparison 2 times (a full network 3.5 times); the Lyapunov solver at least 3 times as
fast as scipy.linalg.solve_continuous_lyapunov. Memory: peak of a process that makes the network and prunes it, in
matrices of n x n doubles; targets 6 and 10.
"""

from __future__ import annotations

from harness import paired, peak_bytes, save  # first: it pins the threads

import numpy as np
import scipy.linalg
import noiseprune
from noiseprune.linalg.lyapunov import solve_lyapunov

N = 4000
NETWORKS = {
    "clustered, 2.0 M pairs": "noiseprune.gallery.clustered([2000, 400, 1600], within=0.6, between=20000)",
    "full, 8.0 M pairs": "noiseprune.gallery.erdos_renyi(4000, 1.0)",
}


def lapack(dense: np.ndarray) -> None:
    """Invert by Cholesky, in place."""
    factor, _ = scipy.linalg.lapack.dpotrf(dense, lower=1, overwrite_a=1, clean=0)
    scipy.linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)


def electrical() -> list[dict[str, object]]:
    rows = []
    for name, code in NETWORKS.items():
        net = eval(code, {"noiseprune": noiseprune})
        dense = np.asfortranarray(-net.matrix().toarray())
        copies = iter([dense.copy(order="F") for _ in range(6)])
        rival, probe, whole = (
            min(times)
            for times in paired(
                lambda copies=copies: lapack(next(copies)),
                lambda net=net: noiseprune.probes.Exact().measure(net),
                lambda net=net: noiseprune.prune(net, density=0.1, compare=False),
            )
        )
        del dense
        peak = peak_bytes(f"import noiseprune\nnoiseprune.prune({code}, density=0.1, compare=False)")
        rows.append(
            {
                "network": name,
                "dpotrf + dpotri, s": round(rival, 3),
                "v, s": round(probe, 3),
                "v, ratio": round(probe / rival, 2),
                "prune, s": round(whole, 3),
                "prune, ratio": round(whole / rival, 2),
                "peak, n x n matrices": round(peak / (8 * N * N), 1),
            }
        )
    return rows


def lyapunov_rows() -> list[dict[str, object]]:
    rows = []
    for name, net in {
        "clustered": noiseprune.gallery.clustered(
            [700, 200, 600], within=0.3, between=7500, symmetric=False, signed=True, gain=0.9
        ),
        "excitatory-inhibitory": noiseprune.gallery.excitatory_inhibitory(1500, gain=0.9),
    }.items():
        A, q = net.matrix().toarray(), net.noise_std**2
        ours, theirs = (
            min(times)
            for times in paired(
                lambda A=A, q=q: solve_lyapunov(A, q),
                lambda A=A, q=q: scipy.linalg.solve_continuous_lyapunov(A, -np.diag(q)),
            )
        )
        rows.append(
            {
                "network, n = 1 500": name,
                "doubling, s": round(ours, 2),
                "SciPy, s": round(theirs, 2),
                "times as fast": round(theirs / ours, 1),
                "relative residual": float(f"{solve_lyapunov(A, q).residual:.1e}"),
            }
        )
    return rows


if __name__ == "__main__":
    save("speed_symmetric", electrical())
    save("speed_lyapunov", lyapunov_rows())
