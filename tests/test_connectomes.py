"""The real connectomes, unedited: what a user runs, and the numbers that are known of them."""

import csv
import json
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

import noiseprune
from noiseprune import read
from tests.networks import data_folder, quiet

WORM = {"where": "Type=Send", "inhibitory": "GABA"}


@pytest.fixture
def folder():
    return data_folder()


def command(*words, cwd):
    done = subprocess.run(
        [sys.executable, "-m", "noiseprune", *map(str, words)],
        capture_output=True,
        text=True,
        cwd=cwd,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_worm_has_its_known_numbers(folder):
    net = read(folder / "worm_connectome.csv", **WORM)
    assert (net.n_neurons, net.n_synapses, net.origin["rows"]) == (299, 2279, 2279)
    assert net.origin["base_leak"]["neurons_without_input"] == 14
    signs = net.origin["transmitters"]
    assert [name for name, sign in signs.items() if sign == "-"] == ["GABA"]
    assert len(signs) == 10


def test_the_worms_signs_and_counts_are_those_of_the_file(folder):
    path = folder / "worm_connectome.csv"
    net = read(path, **WORM)
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["Type"] == "Send"]
    expected = {
        (row["Origin"].strip(), row["Target"].strip()): int(row["Number of Connections"])
        * (-1 if row["Neurotransmitter"] == "GABA" else 1)
        for row in rows
    }
    post, pre, weight = net.synapses
    found = {(net.labels[j], net.labels[i]): w for i, j, w in zip(post, pre, weight, strict=True)}
    assert found == expected
    assert net.labels[:3] == (rows[0]["Origin"], rows[0]["Target"], rows[1]["Target"])


def test_the_worms_gap_junctions_are_completed_averaged_and_counted(folder):
    path = folder / "worm_connectome.csv"
    net = read(path, inhibitory="GABA", electrical="Type=GapJunction")
    counts = net.origin
    assert counts["junctions_listed_once_completed"] == 25
    assert counts["junction_rows_that_disagree_averaged"] == 10
    assert counts["junction_self_connections_dropped"] == 5
    assert counts["chemical_and_electrical_listed"] == 244
    assert counts["chemical_and_electrical_summed"] == 246  # two more where a junction listed once was completed
    chemical = read(path, **WORM)
    place = {name: k for k, name in enumerate(chemical.labels)}
    order = [place[name] for name in net.labels if name in place]
    inside = [k for k, name in enumerate(net.labels) if name in place]
    electrical = net.weights[inside][:, inside] - chemical.weights[order][:, order]
    assert np.abs(electrical - electrical.T).max() == 0
    assert electrical.min() >= 0


def test_the_larva_reads_by_its_orientation(folder):
    net = read(folder / "larva_mb_left_adjacency.csv", orientation="pre-post")
    matrix = np.loadtxt(folder / "larva_mb_left_adjacency.csv")
    assert (net.n_neurons, net.n_synapses) == (209, 7425)
    assert np.array_equal(net.weights.toarray(), matrix.T)
    assert net.origin["base_leak"]["neurons_without_input"] == 59
    labels = (folder / "larva_mb_left_cell_labels.csv").read_text(encoding="utf-8").split()
    assert Counter(labels).keys() == {"K", "P", "O", "I"}


@quiet
def test_the_commands_of_the_readme_run_unedited(folder, tmp_path):
    """Four whole processes, each reading, pruning, comparing and writing a real connectome; about six seconds."""
    worm, larva = folder / "worm_connectome.csv", folder / "larva_mb_left_adjacency.csv"
    for words, n in (
        ([worm, "--where", "Type=Send", "--inhibitory", "GABA", "-o", "worm.csv"], 299),
        ([worm, "--inhibitory", "GABA", "--electrical", "Type=GapJunction", "-o", "gap.csv"], 299),
        ([larva, "--orientation", "pre-post", "-o", "larva.npz"], 209),
    ):
        found = command("prune", *words, "--density", "0.5", "--seed", "1", "--json", cwd=tmp_path)
        result = found["result"]
        assert found["input"]["n_neurons"] == n
        assert abs(result["density"] - 0.5) < 0.05
        assert result["stable_after"] is True
        assert result["sign_flips"] == 0
        again = read(tmp_path / result["output"])
        assert again.n_synapses == result["n_synapses_after"]
        assert again.origin["seed"] == 1
    original = read(worm, **WORM)
    pruned = noiseprune.prune(original, density=0.5, rng=1).network
    assert (read(tmp_path / "worm.csv").matrix() != pruned.matrix()).nnz == 0
    compared = command(
        "compare", worm, "worm.csv", "--where", "Type=Send", "--inhibitory", "GABA", "--json", cwd=tmp_path
    )
    assert compared["result"]["n_synapses_after"] == pruned.n_synapses
