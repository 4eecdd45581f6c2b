"""Ten thousand damaged files of each format: what happens when they are read?

python benchmarks/damaged_files.py [HOW_MANY] [SUFFIX ...]
"""

from __future__ import annotations

from harness import save  # first: it pins the threads

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.fuzzing import SPARSE, SUFFIXES

SLOW = {".feather": 1_000, ".nir": 1_000}  # each is read in a process of its own first

if __name__ == "__main__":
    how_many = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    rows = []
    for suffix in sys.argv[2:] or SUFFIXES + SPARSE:
        count = min(how_many, SLOW.get(suffix, how_many))
        done = subprocess.run(
            [sys.executable, "-m", "tests.fuzzing", suffix, str(count), "7"], capture_output=True, text=True, cwd=ROOT
        )
        found = json.loads(done.stdout) if done.returncode == 0 else {}
        rows.append(
            {
                "format": suffix,
                "files": count,
                "read": found.get("read"),
                "refused": found.get("refused"),
                "other errors": len(found["bugs"]) if found else None,
                "process": "lives" if found else f"died ({done.returncode})",
                "longest, s": round(found["longest"], 2) if found else None,
                "peak memory, GB": round(found["peak"] / 1e9, 2) if found else None,
            }
        )
        print(rows[-1], flush=True)
    save("damaged_files", rows)
