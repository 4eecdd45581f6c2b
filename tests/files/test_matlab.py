"""MATLAB: structs, names in cells, sparse matrices of every version."""

import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp

from noiseprune import read
from noiseprune.errors import BadFile

W = np.array([[0, 2.0, 0], [0, 0, -3], [4, 0, 0]])
NAMES = ["left", "right hand", "é"]
CELL = np.array(NAMES, dtype=object)[:, None]


def weights(path, **options):
    return read(path, orientation="post-pre", **options).weights.toarray()


def test_a_field_of_a_struct_is_named_as_matlab_names_it(tmp_path):
    array = np.array([(W,), (5 * W,)], dtype=[("A", object)])
    scipy.io.savemat(
        tmp_path / "net.mat", {"s": {"W": W, "deep": {"V": sp.csc_array(2 * W)}}, "runs": array, "dt": 0.1}
    )
    expected = {"s.W": W, "s.deep.V": 2 * W, "runs(1).A": W, "runs(2).A": 5 * W}
    for name, matrix in expected.items():
        assert np.array_equal(weights(tmp_path / "net.mat", variable=name), matrix)
    with pytest.raises(
        BadFile, match=r"holds 4 matrices, s\.W, s\.deep\.V, runs\(1\)\.A, runs\(2\)\.A: choose one with"
    ):
        read(tmp_path / "net.mat")
    with pytest.raises(BadFile, match=r"holds no matrix 's'; those it holds are s\.W, s\.deep\.V"):
        read(tmp_path / "net.mat", variable="s")


def test_a_matrix_beside_a_struct_and_a_single_one_inside_need_no_name(tmp_path):
    scipy.io.savemat(tmp_path / "net.mat", {"s": {"V": 2 * W}, "W": W})
    assert np.array_equal(weights(tmp_path / "net.mat"), W)
    scipy.io.savemat(tmp_path / "net.mat", {"s": {"V": 2 * W, "names": CELL}})
    net = read(tmp_path / "net.mat", orientation="post-pre")
    assert np.array_equal(net.weights.toarray(), 2 * W)
    assert net.labels == tuple(NAMES)


@pytest.mark.parametrize("names", [CELL, CELL.T, np.array(["left      ", "right hand", "é         "])])
def test_names_come_from_cells_of_strings_and_from_rows_of_characters(tmp_path, names):
    scipy.io.savemat(tmp_path / "net.mat", {"W": W, "names": names, "note": "all", "two": CELL[:2]})
    net = read(tmp_path / "net.mat", orientation="post-pre")
    assert net.labels == tuple(NAMES)
    assert net.origin["labels"] == "names"


def test_cells_that_are_no_names_are_left_and_it_is_said(tmp_path):
    same, mixed = np.array(["a", "a", "b"], dtype=object), np.array(["a", 1.0, "b"], dtype=object)
    scipy.io.savemat(tmp_path / "net.mat", {"W": W, "same": same, "mixed": mixed})
    net = read(tmp_path / "net.mat", orientation="post-pre")
    assert net.labels is None
    assert net.origin["labels_not_used"] == "not all distinct: same"


@pytest.mark.parametrize("version", ["4", "5"])
@pytest.mark.parametrize("matrix", [W, np.zeros((3, 3)) + W * [[1], [0], [0]]])
def test_sparse_matrices_of_old_versions(tmp_path, version, matrix):
    scipy.io.savemat(tmp_path / "net.mat", {"W": sp.csc_matrix(matrix)}, format=version)
    assert np.array_equal(weights(tmp_path / "net.mat"), matrix)


def test_an_index_out_of_range_is_refused_before_anything_trusts_it(tmp_path):
    matrix = sp.csc_matrix(W)
    scipy.io.savemat(tmp_path / "net.mat", {"W": matrix})
    content, indices = (tmp_path / "net.mat").read_bytes(), matrix.indices.astype("<i4").tobytes()
    assert content.count(indices) == 1
    for wrong in (-1, 3, 10**6, 2**31 - 1):
        lie = np.array([wrong, *matrix.indices[1:]], dtype="<i4").tobytes()
        (tmp_path / "net.mat").write_bytes(content.replace(indices, lie))
        with pytest.raises(BadFile, match="no readable MATLAB file: indices must be"):
            read(tmp_path / "net.mat")


@pytest.fixture
def version_7_3(tmp_path):
    """A function that writes a file of version 7.3, filled by a function of its root."""
    h5py = pytest.importorskip("h5py")

    def write(fill):
        path = tmp_path / "net.mat"
        with h5py.File(path, "w", userblock_size=512) as file:
            fill(file)
        with path.open("r+b") as file:
            file.write(b"MATLAB 7.3 MAT-file")
        return path

    return write


def put(group, name, data, kind="double"):
    item = group.create_dataset(name, data=data)
    item.attrs["MATLAB_class"] = np.bytes_(kind)
    return item


def characters(text):
    return np.array([[ord(letter)] for letter in text], dtype="u2")


def test_structs_names_and_an_empty_sparse_matrix_of_version_7_3(version_7_3):
    import h5py

    def fill(file):
        struct = file.create_group("s")
        struct.attrs["MATLAB_class"] = np.bytes_("struct")
        put(struct, "W", W.T)
        zeros = struct.create_group("Z")
        zeros.attrs["MATLAB_sparse"], zeros.attrs["MATLAB_class"] = np.uint64(3), np.bytes_("double")
        zeros["jc"] = np.zeros(4, dtype="u8")
        cells = [put(file, f"#refs#/{k}", characters(name), "char").ref for k, name in enumerate(NAMES)]
        put(file, "names", np.array([cells], dtype=h5py.ref_dtype), "cell")

    path = version_7_3(fill)
    net = read(path, variable="s.W", orientation="post-pre")
    assert np.array_equal(net.weights.toarray(), W)
    assert net.labels == tuple(NAMES)
    assert read(path, variable="s.Z", base_leak=1.0).n_synapses == 0
    with pytest.raises(BadFile, match=r"holds 2 matrices, s\.W, s\.Z: choose one with variable="):
        read(path)


def test_a_stack_and_rows_of_characters_of_version_7_3(version_7_3):
    stack = np.stack([W, 2 * W], axis=2)

    def fill(file):
        put(file, "A", stack.T)
        put(file, "names", np.array([[ord(x) for x in name.ljust(10)] for name in NAMES], dtype="u2").T, "char")

    path = version_7_3(fill)
    net = read(path, index=1, orientation="post-pre")
    assert np.array_equal(net.weights.toarray(), 2 * W)
    assert net.labels == tuple(NAMES)
    with pytest.raises(BadFile, match="A has the shape 3 x 3 x 2, 2 matrices along its third axis"):
        read(path)
