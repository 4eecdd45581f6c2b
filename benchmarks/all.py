"""Run every benchmark, one after the other."""

import subprocess
import sys
from pathlib import Path

for name in (
    "speed",
    "paper/rule_at_work",
    "paper/spectrum",
    "paper/dynamics",
    "paper/pruned_fraction",
    "paper/directed",
    "paper/samples",
    "paper/authors",
    "connectomes",
    "strengthening",
    "plasticity",
    "bandwidth",
    "scale",
    "reading",
    "damaged_files",
    "rnn",
    "gated",
    "sparse_inference",
    "report",
):
    print(f"\n{name}", flush=True)
    subprocess.run([sys.executable, str(Path(__file__).parent / f"{name}.py")], check=True)
