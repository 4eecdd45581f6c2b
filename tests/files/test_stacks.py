"""Stacks of matrices, archives of arrays, names beside a matrix."""

import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp

from noiseprune import read
from noiseprune.errors import BadFile, InvalidOption
from tests.files.test_tables import made

RNG = np.random.default_rng(5108)
N, SIZE = 4, 3


def stack(axis, n=N, size=SIZE):
    """Matrices without diagonals, one behind the other along an axis."""
    matrices = RNG.integers(1, 9, size=(size, n, n)) * (1.0 - np.eye(n))
    return matrices, np.moveaxis(matrices, 0, axis)


def saved(path, array):
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".npz":
        np.savez(path, A=array, note=np.array("text"))
    elif path.suffix == ".mat":
        scipy.io.savemat(path, {"A": array, "dt": 0.1})
    else:
        h5py = pytest.importorskip("h5py")
        with h5py.File(path, "w") as file:
            file["A"] = array
    return path


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("suffix", ["npy", "npz", "mat", "h5"])
def test_one_matrix_of_a_stack_or_their_mean_is_read_whichever_axis_it_is(tmp_path, suffix, axis):
    matrices, array = stack(axis)
    path = saved(tmp_path / f"net.{suffix}", array)
    for k in range(SIZE):
        net = read(path, index=k, orientation="post-pre")
        assert np.array_equal(net.weights.toarray(), matrices[k])
        assert f"number {k} (from 0)" in net.origin["stack"]
    mean = read(path, mean=True, orientation="post-pre")
    assert np.allclose(mean.weights.toarray(), matrices.mean(axis=0), rtol=1e-15)
    assert "mean of the 3 along" in mean.origin["stack"]
    place = ("first", "second", "third")[axis]
    with pytest.raises(
        BadFile, match=rf"3 matrices along its {place} axis: give index= .0 to 2. for one .* or mean=True"
    ):
        read(path)
    for wrong in (3, -1):
        with pytest.raises(BadFile, match=f"has no index={wrong} among the 3 .*; they count from 0 to 2"):
            read(path, index=wrong)
    with pytest.raises(InvalidOption, match="give either index= or mean=True"):
        read(path, index=0, mean=True)


@pytest.mark.parametrize(("suffix", "axis"), [("npy", 0), ("npz", 0), ("h5", 0), ("mat", 2)])
def test_a_cube_is_stacked_along_the_first_axis_in_numpy_and_the_last_in_matlab(tmp_path, suffix, axis):
    matrices, array = stack(axis, size=N)
    path = saved(tmp_path / f"net.{suffix}", array)
    assert np.array_equal(read(path, index=1, orientation="post-pre").weights.toarray(), matrices[1])


def test_a_stack_of_one_needs_no_choice_and_a_plain_matrix_takes_none(tmp_path):
    matrices, array = stack(2, size=1)
    assert np.array_equal(read(saved(tmp_path / "a.npy", array), orientation="post-pre").weights.toarray(), matrices[0])
    with pytest.raises(InvalidOption, match="leave out index="):
        read(saved(tmp_path / "b.npy", matrices[0]), index=0)
    with pytest.raises(BadFile, match=r"holds no square matrix of numbers; it holds A \(4 x 5 x 6\)"):
        read(saved(tmp_path / "c.npz", np.ones((4, 5, 6))))


def test_a_matrix_beside_a_stack_is_still_the_matrix(tmp_path):
    matrices, array = stack(0)
    np.savez(tmp_path / "net.npz", W=matrices[0], all=array)
    assert np.array_equal(read(tmp_path / "net.npz", orientation="post-pre").weights.toarray(), matrices[0])
    chosen = read(tmp_path / "net.npz", variable="all", index=2, orientation="post-pre")
    assert np.array_equal(chosen.weights.toarray(), matrices[2])


def test_one_of_several_arrays_is_chosen_and_names_go_with_it(tmp_path):
    A = np.array([[0, 1.0], [2, 0]])
    np.savez(tmp_path / "net.npz", A=A, B=3 * A, names=np.array(["u", "v"]), more=np.array(["x", "y", "z"]))
    with pytest.raises(BadFile, match="holds 2 matrices, A, B: choose one with variable="):
        read(tmp_path / "net.npz")
    net = read(tmp_path / "net.npz", variable="B", orientation="post-pre")
    assert np.array_equal(net.weights.toarray(), 3 * A)
    assert net.labels == ("u", "v")
    assert net.origin["labels"] == "names"
    np.savez(
        tmp_path / "two.npz", A=A, names=np.array(["u", "v"]), other=np.array(["x", "y"]), same=np.array(["s", "s"])
    )
    net = read(tmp_path / "two.npz", orientation="post-pre")
    assert net.labels is None
    assert net.origin["labels_not_used"] == "several lists of names: names, other"


# --- names in a file of their own ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        "left a\nleft b\nright\n",
        "\ufeffleft a\r\n\r\nleft b\r\nright\r\n",
        "left a,left b,right\n",
        "number,name,lobe\n1,left a,x\n2,left b,x\n3,right,y\n",
        "1;left a\n2;left b\n3;right\n",
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "npy", "mtx", "mat", "npz"])
def test_names_come_from_a_file_for_every_matrix_without(tmp_path, content, suffix):
    W, path = np.array([[0, 1.0, 0], [0, 0, 2], [3, 0, 0]]), tmp_path / f"net.{suffix}"
    if suffix == "csv":
        np.savetxt(path, W, delimiter=",")
    elif suffix == "npz":
        sp.save_npz(path, sp.csr_array(W))
    elif suffix == "mtx":
        scipy.io.mmwrite(path, sp.csr_array(W))
    else:
        saved(path, W)
    names = made(tmp_path, content, "names.txt")
    net = read(path, labels=names, orientation="post-pre")
    assert net.labels == ("left a", "left b", "right")
    assert net.origin["labels"] == "names.txt"
    assert read(path, labels=["a", "b", "c"], orientation="post-pre").labels == ("a", "b", "c")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a\nb\n", "names.csv: has 2 names for the 3 neurons of .*net.npy"),
        ("a\nb\nc\nd\n", "has 4 names for the 3 neurons"),
        ("a\nb\na\n", "name number 3 is the same as number 1, 'a'; names must be distinct"),
        ("a,,c\n", "name number 2 is empty; names must be distinct"),
        (
            "x,y\na,b\nc,d\ne,f\n",
            "2 of its 2 columns have a distinct name in each of 3 rows .x, y., where one was expected",
        ),
        ("a,x\na,x\nb,x\n", "0 of its 2 columns have a distinct name in each of 3 rows, where one was expected"),
        (b"\xff\xfe\x00", "is not UTF-8: save it as that"),
    ],
)
def test_names_that_do_not_fit_are_refused(tmp_path, content, message):
    np.save(tmp_path / "net.npy", np.eye(3)[[1, 2, 0]])
    (tmp_path / "names.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises((BadFile, InvalidOption), match=message):
        read(tmp_path / "net.npy", labels=tmp_path / "names.csv", orientation="post-pre")


def test_names_for_what_has_names_are_refused(tmp_path):
    path = made(tmp_path, "pre,post\na,b\n")
    with pytest.raises(InvalidOption, match=r"names its neurons itself, 'a' the first: leave labels out"):
        read(path, labels=["x", "y"])
