"""Square matrices: names, holes, symmetry up to rounding, Laplacians; in files and in memory alike."""

import numpy as np
import pytest
import scipy.sparse as sp

from noiseprune import Network, prune, read, with_base_leak
from noiseprune.errors import BadFile, InvalidNetwork, InvalidOption
from noiseprune.sources.leak import as_network
from tests.files.test_tables import edges, made

W = np.array([[0, 7.0, 8], [1, 0, 2], [3, 4, 0]])
NAMES = ["a", "b", "c"]


@pytest.mark.parametrize("scale", [1e-200, 1e-30, 1.0, 1e30, 1e200])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rounding_of_the_largest_weight_is_no_asymmetry_at_any_scale(tmp_path, scale, dtype):
    if dtype == np.float32 and not 1e-30 <= scale <= 1e30:
        return
    random = np.random.default_rng(11)
    for n in (2, 5, 30):
        sizes = 10.0 ** random.uniform(-12, 0, (n, n))
        matrix = (sizes + sizes.T) * scale
        np.fill_diagonal(matrix, 0)
        noise = random.uniform(-4, 4, (n, n)) * np.finfo(dtype).eps * matrix.max()
        noisy = (matrix + noise * (matrix != 0)).astype(dtype)
        assert Network(noisy, 1e300).symmetric
        np.save(tmp_path / "net.npy", noisy)
        assert read(tmp_path / "net.npy").symmetric
        noisy[0, 1] += dtype(1e-3) * noisy.max()
        with pytest.raises(BadFile, match="not symmetric"):
            read(tmp_path / "net.npy") if np.save(tmp_path / "net.npy", noisy) is None else None


def test_correlations_and_means_of_matrices_are_symmetric(tmp_path):
    random = np.random.default_rng(5)
    correlations = [np.corrcoef(random.normal(size=(40, 60))) for _ in range(7)]
    for matrix in (*correlations, np.mean(correlations, axis=0)):
        np.fill_diagonal(matrix, np.nan)
        np.savetxt(tmp_path / "net.csv", matrix, delimiter=",", fmt="%.17g")
        net = read(tmp_path / "net.csv")
        assert (net.symmetric, net.n_synapses) == (True, 40 * 39)
        assert net.origin["diagonal_entries_without_number_taken_as_0"] == 40


def test_a_one_way_weight_is_an_asymmetry_however_small():
    assert not Network([[0, 1e-20, 1], [0, 0, 1], [1, 1, 0]], 3.0).symmetric


def test_the_symmetric_part_is_read_where_it_is_asked_for(tmp_path):
    path = made(tmp_path, "0,2,1\n1,0,0\n1,3,0\n")
    net = read(path, symmetrise=True)
    assert net.symmetric
    assert np.array_equal(net.weights.toarray(), [[0, 1.5, 1], [1.5, 0, 1.5], [1, 1.5, 0]])
    assert "differed by 3 at most" in net.origin["symmetrised"]
    with pytest.raises(InvalidOption, match="leave out orientation="):
        read(path, symmetrise=True, orientation="pre-post")
    with pytest.raises(BadFile, match="differ by 0.0001 at most, so perhaps symmetrise=True"):
        read(made(tmp_path, "0,1\n1.0001,0\n"))
    with pytest.raises(InvalidOption, match="leave out symmetrise="):
        read(made(tmp_path, "pre,post,weight\na,b,1\n"), symmetrise=True)


def test_blanks_of_a_matrix_are_zeros_and_counted(tmp_path):
    net = read(made(tmp_path, ",U,V,X\nU,,2,\nV,1,,3\nX,,4,\n"), orientation="post-pre")
    assert np.array_equal(net.weights.toarray(), [[0, 2, 0], [1, 0, 3], [0, 4, 0]])
    assert net.origin["blank_cells_taken_as_0"] == 5
    bare = read(made(tmp_path, "0,2,\n1,0,3\n,4,0\n"), orientation="post-pre")
    assert (bare.weights != net.weights).nnz == 0
    with pytest.raises(BadFile, match="could be names or weights, since the diagonal is blank"):
        read(made(tmp_path, ",2,3\n2,,5\n3,5,\n"))


@pytest.mark.parametrize("hole", ["nan", "inf", "-inf"])
def test_no_number_on_the_diagonal_is_no_self_connection_in_files_and_an_error_in_memory(tmp_path, hole):
    matrix = np.ones((3, 3))
    np.fill_diagonal(matrix, float(hole))
    np.save(tmp_path / "net.npy", matrix)
    assert read(tmp_path / "net.npy").n_synapses == 6
    with pytest.raises(InvalidNetwork, match=r"all on the diagonal.*np.fill_diagonal\(W, 0\)"):
        Network(matrix, 1.0)
    matrix[0, 1] = float(hole)
    np.save(tmp_path / "net.npy", matrix)
    with pytest.raises(BadFile, match=r"the matrix\[0, 1\] is"):
        read(tmp_path / "net.npy")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "\tu1\tU2\tu3\nu1\t0\t1\t2\nu2\t3\t0\t4\nu3\t5\t6\t0\n",
            "'u2' stands beside only and 'U2' above only .1 such name",
        ),
        (",a,b,x\na,0,1,2\nb,3,0,4\nc,5,6,0\n", "'c' stands beside only and 'x' above only"),
        ("0;0,5;0,25\n0,5;0;0,125\n0,25;0,125;0\n", "line 2, column 1 holds '0,5'.*give decimal_comma=True"),
        (",a,b\na,0,x\nb,1,0\n", "line 2, column 3 .'b'. holds 'x'"),
        (",p,q\na,1,2\nb,3,4\nc,5,6\n", "rows and columns name different neurons.*orientation=.pre-post"),
    ],
)
def test_what_is_wrong_with_a_matrix_is_named(tmp_path, content, message):
    with pytest.raises(BadFile, match=message):
        read(made(tmp_path, content))


def test_a_matrix_between_two_sets_of_neurons_becomes_one_of_both(tmp_path):
    path = made(tmp_path, ",p,q\na,1,2\nb,3,4\nc,5,0\n")
    net = read(path, orientation="pre-post")
    assert edges(net) == {("a", "p"): 1, ("a", "q"): 2, ("b", "p"): 3, ("b", "q"): 4, ("c", "p"): 5}
    assert net.labels == ("a", "b", "c", "p", "q")
    assert "3 and 2 neurons, 0 of them the same" in net.origin["rows_and_columns"]
    assert edges(read(path, orientation="post-pre")) == {(b, a): w for (a, b), w in edges(net).items()}


# --- Laplacians


def laplacians():
    random = np.random.default_rng(2)
    for directed in (False, True):
        weights = random.integers(0, 5, (6, 6)) * (1 - np.eye(6))
        weights = weights if directed else weights + weights.T
        for axis in (0, 1):
            yield weights, np.diag(weights.sum(axis=axis)) - weights


@pytest.mark.parametrize("scale", [1e-100, 1.0, 0.1, 1e100])
def test_a_laplacian_is_recognised_and_its_couplings_are_read(tmp_path, scale):
    for weights, laplacian in laplacians():
        np.save(tmp_path / "net.npy", laplacian * scale)
        advice = r'graph Laplacian.*content="laplacian" reads'
        for call in (
            lambda: read(tmp_path / "net.npy", orientation="post-pre"),
            lambda matrix=laplacian * scale: prune(matrix, density=0.5),
            lambda matrix=laplacian * scale: as_network(matrix, base_leak=1.0),
        ):
            with pytest.raises(InvalidNetwork, match=advice):
                call()
        net = read(tmp_path / "net.npy", orientation="post-pre", content="laplacian")
        assert np.array_equal(net.weights.toarray(), weights * scale)
        assert (net.synapses.weight > 0).all()


def test_what_is_no_laplacian_cannot_be_read_as_one():
    with pytest.raises(InvalidNetwork, match='leave content="laplacian"'):
        as_network([[3.0, -1], [-1, 2]], content="laplacian", base_leak="dominant")
    with pytest.raises(InvalidNetwork, match="give the negative of the matrix"):
        as_network([[3.0, -1], [-1, 2]])
    with pytest.raises(InvalidNetwork, match=r'neuron 0 has 1 .1 of 2.*content="weights" drops them'):
        as_network([[1.0, 1], [1, 0]])


# --- names in memory


def named(library, matrix, rows, columns):
    if library == "pandas":
        return pytest.importorskip("pandas").DataFrame(matrix, index=rows, columns=columns)
    if library == "xarray":
        return pytest.importorskip("xarray").DataArray(matrix, coords=[("x", rows), ("y", columns)])
    polars = pytest.importorskip("polars")
    return polars.DataFrame({"": rows, **{name: matrix[:, k] for k, name in enumerate(columns)}})


@pytest.mark.parametrize("library", ["pandas", "polars", "xarray"])
def test_a_square_with_names_is_read_by_name_and_comes_back_as_it_was(library):
    random = np.random.default_rng(1)
    for _ in range(10):
        columns = random.permutation(3)
        given = named(library, W[:, columns], NAMES, [NAMES[k] for k in columns])
        for net in (
            Network(given, 99.0),
            with_base_leak(given),
            prune(given, base_leak="dominant", density=1.0).original,
        ):
            assert net.labels == ("a", "b", "c")
            assert np.array_equal(net.weights.toarray(), W)
        back = prune(given, base_leak="dominant", density=1.0).in_kind
        assert type(back) is type(given)
        assert np.allclose(Network(back, 99.0).weights.toarray(), W)
        assert list(map(str, back.columns if library != "xarray" else back.y.values)) == list(
            map(str, given.columns if library != "xarray" else given.y.values)
        )


def test_names_that_differ_or_only_count():
    pandas = pytest.importorskip("pandas")
    with pytest.raises(InvalidNetwork, match="do not name the same neurons: 'c' names a row only, 'x' a column only"):
        Network(pandas.DataFrame(W, index=NAMES, columns=["a", "b", "x"]), 99.0)
    with pytest.raises(InvalidNetwork, match="'a' names more than one"):
        Network(pandas.DataFrame(W, index=NAMES, columns=["a", "b", "a"]), 99.0)
    assert Network(pandas.DataFrame(W), 99.0).labels is None
    assert Network(pandas.DataFrame(W, columns=NAMES), 99.0).labels == ("a", "b", "c")
    assert Network(pandas.DataFrame(W, index=NAMES, columns=NAMES), 99.0, labels=["x", "y", "z"]).labels == (
        "x",
        "y",
        "z",
    )


def test_axes_called_pre_and_post_say_which_way_it_runs():
    pandas = pytest.importorskip("pandas")
    rows = [(a, b, W[i, j]) for i, a in enumerate(NAMES) for j, b in enumerate(NAMES) if i != j]
    pivot = pandas.DataFrame(rows, columns=["pre", "post", "weight"]).pivot(
        index="pre", columns="post", values="weight"
    )
    net = Network(pivot.fillna(0), 99.0)
    assert edges(net) == {(a, b): w for a, b, w in rows}


# --- options that would do nothing


def test_margin_and_gain_belong_to_one_leak_each(tmp_path):
    path = made(tmp_path, "pre,post,weight\na,b,2\nb,a,1\n")
    for call in (lambda **o: read(path, **o), lambda **o: with_base_leak([[0, 2.0], [1, 0]], **o)):
        with pytest.raises(InvalidOption, match='gain is for a rate.*"dominant" was taken'):
            call(gain=0.5)
        with pytest.raises(InvalidOption, match='margin is for base_leak="dominant", and a rate was given'):
            call(base_leak=1.0, margin=0.1)
        assert call(margin=0.5).leak.tolist() == [1.5, 3.0] or call(margin=0.5).leak.tolist() == [3.0, 1.5]
        assert call(base_leak=1.0, gain=0.5).origin["base_leak"]["gain"] == 0.5
    np.save(tmp_path / "net.npy", np.array([[-3.0, 1], [1, -3]]))
    for option in ("margin", "gain"):
        with pytest.raises(InvalidOption, match=f"{option} is for a leak that is made, and none is"):
            read(tmp_path / "net.npy", **{option: 0.5})


def test_inspect_says_the_weights_and_the_first_labels(tmp_path):
    from noiseprune.measure.inspect import inspect

    found = inspect(read(made(tmp_path, "pre,post,weight\na,b,2\nb,c,-1.5\nc,d,4\nd,a,1\n")))
    assert (found["total_weight"], found["smallest_weight"], found["largest_weight"]) == (5.5, -1.5, 4.0)
    assert found["first_labels"] == ["a", "b", "c"]
    bare = inspect(with_base_leak(sp.csr_array(W)))
    assert bare["first_labels"] is None
