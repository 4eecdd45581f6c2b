"""The authors' own code on the network of (b), for what their measures give: noise rule and weights, matched leak.

Needs a clone of github.com/chaudlab/noise-prune at commit 0f39ad5, the last that applies the strengthening:
`python benchmarks/paper/authors.py FOLDER/noise-prune`.
"""

from __future__ import annotations

from setting import save, three_clusters  # first: it pins the threads

import contextlib
import io
import sys
from pathlib import Path

import numpy as np

DENSITIES = (0.03, 0.05, 0.1, 0.2)
DRAWS = 3


def main() -> None:
    if len(sys.argv) < 2:
        print(f"skipped: {__doc__.splitlines()[2]}")
        return
    sys.path.insert(0, str(Path(sys.argv[1]) / "general_fns"))
    import combined_sparsification_fns as theirs
    import lin_alg_fns

    A = three_clusters().matrix().toarray()
    values, vectors = lin_alg_fns.sort_eig(A, ret_ev=True, hermitian=True)
    n_synapses = np.count_nonzero(A) - len(A)
    rows = []
    for density in DENSITIES:
        share = {"norm_type": "sum", "norm_val": density * n_synapses, "max_val": 1}
        probabilities = {
            "noise rule": theirs.get_sparsify_probs(A, normalization=share, matrix_type="symmetric"),
            "by weights": theirs.get_sparsify_probs_control(A, normalization=share),
        }
        for rule, p in probabilities.items():
            drawn = []
            for seed in range(DRAWS):
                np.random.seed(seed)  # noqa: NPY002 - theirs draws from the global generator
                with contextlib.redirect_stdout(io.StringIO()):
                    pruned = theirs.sparsify_given_probs(A, np.triu(p), symmetric=True, diagonal_type="row_sum")
                found = theirs.compare_spectrum(pruned, values, vectors)
                error, rayleigh = abs(found["eps_ew"]), abs(found["eps_ev"])
                drawn.append(
                    {
                        "kept, got": 100 * (np.count_nonzero(pruned) - len(A)) / n_synapses,
                        "eigenvalue, median": np.median(error),
                        "eigenvalue, 95 %": np.quantile(error, 0.95),
                        "eigenvalue, max": error.max(),
                        "Rayleigh, median": np.median(rayleigh),
                        "cosine, median": np.median(abs(found["S_ev_angle"])),
                    }
                )
            mean = {name: round(float(np.mean([one[name] for one in drawn])), 3) for name in drawn[0]}
            mean["kept, got"] = f"{mean['kept, got']:.3g} %"
            rows.append({"kept, asked": f"{100 * density:g} %", "rule": rule, "draws": DRAWS, **mean})
            print(rows[-1], flush=True)
    save("paper_authors", rows)


if __name__ == "__main__":
    main()
