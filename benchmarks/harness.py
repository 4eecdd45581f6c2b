"""What the benchmarks share: paired timing, memory of a fresh process, and where results go."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

THREADS = 2
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = str(THREADS)  # before NumPy is imported

RESULTS = Path(__file__).parent / "results"


def one_thread() -> None:
    """From here on one thread: BLAS, and torch where it is loaded."""
    global THREADS
    from threadpoolctl import threadpool_limits

    THREADS = 1
    threadpool_limits(limits=1)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def paired(*calls: Callable[[], Any], repeats: int = 5) -> list[list[float]]:
    """Time functions in turn, A B A B ...; return the seconds of each, run by run, after one run that does not count."""
    for call in calls:
        call()
    seconds: list[list[float]] = [[] for _ in calls]
    for _ in range(repeats):
        for times, call in zip(seconds, calls, strict=True):
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
    return seconds


def peak_bytes(code: str) -> int:
    """Run Python code in a process of its own; return the peak of its resident memory (Linux)."""
    return run_apart(code)[1]


def run_apart(code: str) -> tuple[str, int]:
    """Run Python code in a process of its own; return its standard error and the peak of its resident memory (Linux).

    Not getrusage's figure: a process inherits the peak of the one that started it.
    """
    code += "\nprint(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8")
    return done.stderr, int(done.stdout.split()[-2]) * 1024


def environment() -> dict[str, Any]:
    """Say what the figures were measured on."""
    import importlib.metadata

    import numpy
    import scipy

    import noiseprune

    others = {}
    for name in ("numba", "pyamg", "networkit", "torch"):
        if name in sys.modules:
            others[name] = importlib.metadata.version(name)
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": THREADS,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
        **others,
        "noiseprune": noiseprune.__version__,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def save(name: str, rows: list[dict[str, Any]]) -> None:
    """Print rows as a table and write them with their environment."""
    import polars as pl

    with pl.Config(
        tbl_rows=-1, tbl_cols=-1, tbl_hide_dataframe_shape=True, tbl_hide_column_data_types=True, float_precision=3
    ):
        print(pl.DataFrame(rows))
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"environment": environment(), "rows": rows}, indent=1) + "\n"
    (RESULTS / f"{name}.json").write_text(text, encoding="utf-8")
