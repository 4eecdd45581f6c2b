"""Files that people hold, unedited; read from the folder that NOISEPRUNE_DATA names."""

import importlib.util

import pytest

from noiseprune import read
from noiseprune.errors import BadFile
from tests.networks import data_folder

RIGHT = {  # neurons, links off the diagonal, total weight, symmetric, first name
    "files/connectivity_68.zip": ({}, 68, 1176, 7.7883210830914, True, "r_lateralorbitofrontal"),
    "files/varshney_A_sendjoint.mat": ({"orientation": "pre-post"}, 279, 2194, 3911, False, None),
    "files/bct_sample_data.mat": ({}, 138, 18906, None, True, None),
    "files/pygsp_minnesota.mat": ({}, 2642, 6606, None, True, None),
    "files/football.gml": ({}, 115, 1226, 1226, True, "BrighamYoung"),
    "files/lesmis.net": ({}, 77, 508, 508, True, "Myriel"),
    "files/nk_dynamicTest.gexf": ({}, 4, 5, 5, False, "Gephi"),
    "files/nk_staticTest.gexf": ({}, 306, 4296, None, True, 1),
    "awkward/05_e_edges.h5": ({}, 3, 3, 0.75, False, None),
    "awkward/16_subjects.npy": ({"index": 1}, 3, 4, 12, True, None),
    "awkward/16_subjects.mat": ({"mean": True}, 3, 4, 10, True, None),
    "awkward/17_dense.npz": ({}, 3, 4, 8, True, "u"),
    "awkward/15_graph.gml": ({"weight": "fibers"}, 3, 4, 123.5, True, "u"),
}
NEEDS = {".gml": "networkx", ".net": "networkx", ".gexf": "networkx", ".h5": "h5py"}


@pytest.mark.parametrize("name", RIGHT)
def test_a_file_has_its_right_reading(name):
    path = data_folder() / name
    library = NEEDS.get(path.suffix)
    if library and importlib.util.find_spec(library) is None:
        pytest.skip(f"needs {library}")
    options, n, links, total, symmetric, first = RIGHT[name]
    net = read(path, **options)
    assert (net.n_neurons, net.weights.nnz, net.symmetric) == (n, links, symmetric)
    assert total is None or net.weights.sum() == pytest.approx(total, rel=1e-9)
    assert net.labels is None if first is None else net.labels[0] == first


def test_names_of_regions_stand_in_a_file_of_their_own():
    folder = data_folder() / "files"
    net = read(folder / "enigma_strucMatrix_ctx.csv", labels=folder / "enigma_labels.csv")
    assert (net.n_neurons, net.weights.nnz, net.symmetric) == (68, 1394, True)
    assert net.weights.sum() == pytest.approx(10322.755337, rel=1e-9)
    assert (net.labels[0], net.labels[-1]) == ("L_bankssts", "R_insula")


def test_which_attribute_is_the_weight_is_asked():
    pytest.importorskip("networkx")
    with pytest.raises(BadFile, match="could be the weight, value, fibers: choose with weight="):
        read(data_folder() / "awkward" / "15_graph.gml")
