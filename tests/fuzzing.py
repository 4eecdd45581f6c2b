"""Files damaged at random, and what reading them does: run as a program, since it must not take the tests down.

    python -m tests.fuzzing SUFFIX HOW_MANY [SEED]

SUFFIX is one of SUFFIXES, whose bytes are damaged, or of SPARSE, whole files whose indices and pointers
lie. It prints one JSON object: how many were read, how many were refused, the longest time, the peak of memory.
"""

import bz2
import json
import signal
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from pathlib import Path

import numpy as np
import scipy.io
import scipy.sparse as sp

from noiseprune import Network, read, write
from noiseprune.errors import NoisePruneError
from noiseprune.sources.files.graph_files import to_networkx

SUFFIXES = (
    *(".csv", ".tsv", ".csv.gz", ".parquet", ".feather", ".npz", ".npy", ".mtx", ".mat", ".h5", ".sonata.h5"),
    *(".graphml", ".gml", ".gexf", ".net", ".zip", ".safetensors", ".nir", ".pt"),
)
SPARSE = ("csr.npz", "csc.npz", "v5.mat", "v7.3.mat", "csr.h5", "csr.safetensors", "csr.pt", "groups.sonata.h5")
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
    elif suffix == ".gexf":
        import networkx

        networkx.write_gexf(to_networkx(network), path)
    elif suffix == ".net":
        path.write_text('*Vertices 3\n1 "a"\n2 "b b"\n3 "é"\n*Edges\n1 2 2.5\n*Arcs\n2 3 -1\n3 1\n', encoding="utf-8")
    elif suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("weights.txt.bz2", bz2.compress(b"0 1.5 0\n2 0 -1\n0 1 0\n"))
            archive.writestr("centres.txt", "a 0 0 0\nb 1 0 0\nc 0 1 0\n")
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


LIES = (-1, -(2**31), 4, 5, 2**31 - 1, 1000)  # where numbers from 0 to 3, or up to 6 in pointers, were expected


def lying(parts, rng, *, same_length=False):
    """Compressed rows of which one to three numbers lie, or one part is too long or too short."""
    parts = {name: np.array(part) for name, part in parts.items()}
    for _ in range(rng.integers(1, 4)):
        name = rng.choice(["indices", "indptr"])
        fault = rng.integers(2 if same_length else 4)
        part = parts[name]
        if fault < 2 and len(part):
            part[rng.integers(len(part))] = LIES[rng.integers(len(LIES))]
        elif fault == 2:
            name = rng.choice(list(parts))
            parts[name] = parts[name][: rng.integers(len(parts[name]) + 1)]
        elif fault == 3:
            name = rng.choice(list(parts))
            parts[name] = np.append(parts[name], parts[name][:2])
    return parts


def sparse_file(suffix, path, rng):
    """Write a sparse matrix of 4 x 4 whose parts do not fit together, as the format keeps it."""
    matrix = sp.csc_array(np.array([[0, 1.5, 0, 0], [2, 0, -1, 0], [0, 3, 0, 1], [1, 0, 0, 0]]))
    whole = {name: getattr(matrix, name) for name in ("data", "indices", "indptr")}
    parts = lying(whole, rng, same_length=suffix == "v5.mat")
    data, indices, indptr = parts.values()
    if suffix.endswith(".npz"):
        np.savez(path, format=suffix[:3].encode(), shape=(4, 4), **parts)
    elif suffix == "v5.mat":
        scipy.io.savemat(path, {"W": matrix})
        content = path.read_bytes()
        for name in ("indices", "indptr"):
            content = content.replace(whole[name].astype("<i4").tobytes(), parts[name].astype("<i4").tobytes())
        path.write_bytes(content)
    elif suffix == "v7.3.mat":
        import h5py

        with h5py.File(path, "w", userblock_size=512) as file:
            group = file.create_group("W")
            group.attrs["MATLAB_sparse"], group.attrs["MATLAB_class"] = np.uint64(4), np.bytes_("double")
            group["data"], group["ir"], group["jc"] = data, indices, indptr
    elif suffix == "csr.h5":
        import h5py

        with h5py.File(path, "w") as file:
            file.create_group("W").attrs["shape"] = (4, 4)
            for name, part in parts.items():
                file["W"][name] = part
    elif suffix == "csr.safetensors":
        import safetensors.numpy

        named = {"W.values": data, "W.indices": indices, "W.indptr": indptr}
        safetensors.numpy.save_file(named, path, {"format": "noiseprune-csr-1", "shapes": '{"W": [4, 4]}'})
    elif suffix == "csr.pt":
        import torch

        tensors = (torch.tensor(part) for part in (indptr, indices, data))
        try:
            torch.save(torch.sparse_csr_tensor(*tensors, size=(4, 4), check_invariants=False), path)
        except RuntimeError:  # lengths that torch would not write either
            path.write_bytes(b"not made")
    else:
        import h5py

        with h5py.File(path, "w") as file:
            edges = file.create_group("edges/p")
            edges["source_node_id"], edges["target_node_id"] = np.arange(6) % 4, (np.arange(6) + 1) % 4
            edges["edge_group_id"], edges["edge_group_index"] = np.zeros(6, dtype=int), indices
            edges["0/syn_weight"] = data


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
        data = None if suffix in SPARSE else original(suffix, Path(folder))
        for k in range(how_many):
            path = Path(folder) / f"damaged{'.' * (data is None)}{suffix}"
            if data is None:
                sparse_file(suffix, path, rng)
            else:
                path.write_bytes(damaged(data, rng))
            sys.stderr.write(f"\r{suffix} {k}")
            sys.stderr.flush()
            start = time.monotonic()
            signal.alarm(LONGEST)
            try:
                square = path.suffix in (".npy", ".mtx", ".npz", ".mat", ".h5") and "sonata" not in suffix
                read(path, orientation="post-pre") if square else read(path)
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
