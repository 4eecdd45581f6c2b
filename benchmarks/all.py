"""Run every benchmark, one after the other."""

import subprocess
import sys
from pathlib import Path

for name in (
    "speed",
    "paper_experiment",
    "pruned_fraction",
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
    subprocess.run([sys.executable, str(Path(__file__).with_name(f"{name}.py"))], check=True)
