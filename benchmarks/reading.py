"""How long does a connectome of ten million rows take to read, against polars and pandas? And does one of 10^8 rows fit?

The file: three columns, 64-bit ids as FlyWire has them, integer counts. polars.read_csv only parses it; pandas parses it
and builds the same sparse matrix. Memory is the peak resident size of a fresh process.

    python benchmarks/reading.py [ROWS] [ROWS_OF_THE_LARGE_TABLE]
"""

from __future__ import annotations

from harness import paired, run_apart, save  # first: it pins the threads

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import polars as pl
import scipy.sparse as sp

import noiseprune

NEURONS = 100_000
FIRST_ID = 720_575_940_600_000_000


def table(rows: int, seed: int) -> pl.DataFrame:
    """Random connections between neurons of 18-digit ids."""
    rng = np.random.default_rng(seed)
    ids = np.sort(rng.choice(2**40, NEURONS, replace=False)) + FIRST_ID
    return pl.DataFrame(
        {
            "pre_pt_root_id": ids[rng.integers(0, NEURONS, rows, dtype=np.int32)],
            "post_pt_root_id": ids[rng.integers(0, NEURONS, rows, dtype=np.int32)],
            "syn_count": rng.integers(1, 60, rows, dtype=np.int32),
        }
    )


def by_pandas(path: Path) -> sp.csr_array:
    """What people write: read_csv, factorize, coo_matrix."""
    frame = pd.read_csv(path)
    pre, post = frame["pre_pt_root_id"], frame["post_pt_root_id"]
    codes, ids = pd.factorize(np.concatenate([pre, post]))
    pre, post = codes[: len(frame)], codes[len(frame) :]
    return sp.coo_matrix((frame["syn_count"].astype(float), (post, pre)), shape=(len(ids),) * 2).tocsr()


def speed(rows: int, folder: Path) -> list[dict[str, object]]:
    path = folder / "connections.csv"
    table(rows, 5).write_csv(path)
    calls = (lambda: pl.read_csv(path), lambda: noiseprune.read(path), lambda: by_pandas(path))
    parse, ours, pandas = (median(times) for times in paired(*calls, repeats=3))
    _, peak = run_apart(f"import noiseprune; noiseprune.read({str(path)!r})")
    return [
        {
            "table": f"CSV, {rows:,} rows, {path.stat().st_size / 1e6:.0f} MB",
            "polars.read_csv, s": round(parse, 2),
            "read, s": round(ours, 2),
            "pandas and coo_matrix, s": round(pandas, 2),
            "read over polars": round(ours / parse, 2),
            "pandas over read": round(pandas / ours, 1),
            "peak memory, GB": round(peak / 1e9, 2),
        }
    ]


def size(rows: int, folder: Path) -> list[dict[str, object]]:
    """Read a table that is larger than a laptop likes."""
    found = []
    for suffix in ("parquet", "csv"):
        path = folder / f"large.{suffix}"
        make = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import reading; t = reading.table({rows}, 6); "
        run_apart(make + f"t.write_{suffix}({str(path)!r})")
        start = time.perf_counter()
        _, peak = run_apart(f"import noiseprune; print(noiseprune.read({str(path)!r}))")
        found.append(
            {
                "table": f"{suffix}, {rows:,} rows, {path.stat().st_size / 1e6:.0f} MB",
                "polars.read_csv, s": None,
                "read, s": round(time.perf_counter() - start, 1),
                "pandas and coo_matrix, s": None,
                "read over polars": None,
                "pandas over read": None,
                "peak memory, GB": round(peak / 1e9, 2),
            }
        )
        path.unlink()
    return found


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    with tempfile.TemporaryDirectory() as name:
        result = speed(numbers[0] if numbers else 10_000_000, Path(name))
        result += size(numbers[1] if len(numbers) > 1 else 100_000_000, Path(name))
    save("reading", result)
