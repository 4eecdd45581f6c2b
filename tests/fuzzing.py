"""Files damaged at random, and what reading them does: run as a program, since it must not take the tests down.

    python -m tests.fuzzing SUFFIX HOW_MANY [SEED]

prints one JSON object: how many were read, how many were refused, the longest time, the peak of memory.
"""

import json
import signal
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

import numpy as np

from noiseprune import Network, read, write
from noiseprune.errors import NoisePruneError

SUFFIXES = (
    *(".csv", ".tsv", ".csv.gz", ".parquet", ".feather", ".npz", ".npy", ".mtx", ".mat", ".h5", ".sonata.h5"),
    *(".graphml", ".gml", ".safetensors", ".nir", ".pt"),
)
LONGEST = 10  # seconds that one file may take
LARGEST = 2 << 30  # bytes that the process may take
EXTREMES = (b"\xff" * 8, b"\x00" * 8, b"\x7f" + b"\xff" * 7, b"\xff" * 7 + b"\x7f", b"9" * 18, b"-1", b"1e999", b"nan")


def original(suffix, folder):
    """A small network with all that a file can carry."""
    weights = np.array([[0, 1.5, 0, 0], [2.0, 0, -0.25, 0], [0, 3.0, 0, 1e-3], [0, 0, 0, 0]])
    network = Network(weights, [4.0, 5, 6, 7], [1, 1, 2, 1.0], labels=["a", "b b", "é", "720575940600000001"])
    path = folder / f"original{suffix}"
    if suffix == ".pt":
        import torch

        torch.save({"W": torch.tensor(weights), "b": torch.zeros(4)}, path)
    else:
        write(network, path)
    return path.read_bytes()


def damaged(data, rng):
    """One to four faults."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        at = int(rng.integers(len(data) + 1))
        size = int(rng.integers(1, 1 + min(64, max(1, len(data)))))
        fault = rng.integers(6)
        if fault == 0 and data:
            data[min(at, len(data) - 1)] ^= 1 << int(rng.integers(8))
        elif fault == 1:
            del data[at : at + size]
        elif fault == 2:
            data[at:at] = data[at : at + size]
        elif fault == 3:
            data[at:at] = rng.integers(256, size=size, dtype=np.uint8).tobytes()
        elif fault == 4:
            extreme = EXTREMES[rng.integers(len(EXTREMES))]
            data[at : at + len(extreme)] = extreme
        else:
            del data[at:]
    return bytes(data)


def peak():
    """Peak resident size in bytes."""
    import psutil

    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024
    return psutil.Process().memory_info().rss


def attack(suffix, how_many, seed):
    """Read damaged files; anything but a network or an error of ours is kept."""
    rng = np.random.default_rng(seed)
    counts = {"read": 0, "refused": 0, "longest": 0.0, "bugs": []}
    with tempfile.TemporaryDirectory() as folder:
        data = original(suffix, Path(folder))
        for k in range(how_many):
            path = Path(folder) / f"damaged{suffix}"
            path.write_bytes(damaged(data, rng))
            sys.stderr.write(f"\r{suffix} {k}")
            sys.stderr.flush()
            start = time.monotonic()
            signal.alarm(LONGEST)
            try:
                read(path, orientation="post-pre") if suffix in (".npy", ".mtx", ".npz", ".mat", ".h5") else read(path)
                counts["read"] += 1
            except NoisePruneError:
                counts["refused"] += 1
            except Exception:
                counts["bugs"].append(f"{k}: {traceback.format_exc(limit=-3)}")
            signal.alarm(0)
            counts["longest"] = max(counts["longest"], time.monotonic() - start)
    return counts | {"peak": peak()}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    found = attack(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 20201124)
    sys.stdout.write(json.dumps(found))
