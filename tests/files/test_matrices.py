import gzip
import sys

import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp

import noiseprune
from noiseprune import Network, NoisePruneWarning, gallery, prune, read, write
from noiseprune.errors import BadFile, InvalidNetwork, InvalidOption, TooLarge
from tests.networks import quiet

W = np.array([[0, 2.0, 0], [0, 0, 3], [4, 0, 0]])
TEXT_AND_MATRICES = ["csv", "tsv", "txt", "csv.gz", "npz", "npy", "mtx", "mtx.gz"]
FORMATS = [
    *TEXT_AND_MATRICES,
    *("parquet", "feather", "mat", "h5", "sonata.h5", "graphml", "graphml.gz", "gml", "safetensors", "nir"),
]


def saved(tmp_path, suffix, matrix=W):
    path = tmp_path / f"net{suffix}"
    if suffix == ".npy":
        np.save(path, matrix)
    elif suffix == ".npz":
        sp.save_npz(path, sp.csr_array(matrix))
    elif suffix == ".mtx":
        scipy.io.mmwrite(path, sp.coo_array(matrix))
    elif suffix == ".mtx.gz":
        scipy.io.mmwrite(tmp_path / "plain.mtx", sp.coo_array(matrix))
        path.write_bytes(gzip.compress((tmp_path / "plain.mtx").read_bytes()))
    else:
        np.savetxt(path, matrix, delimiter="," if suffix == ".csv" else " ", fmt="%g")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".txt", ".npy", ".npz", ".mtx", ".mtx.gz"])
def test_a_square_matrix_needs_its_orientation(tmp_path, suffix):
    path = saved(tmp_path, suffix)
    with pytest.raises(BadFile, match=r"orientation=\"pre-post\" .* or \"post-pre\""):
        read(path)
    assert np.array_equal(read(path, orientation="post-pre").weights.toarray(), W)
    assert np.array_equal(read(path, orientation="pre-post").weights.toarray(), W.T)
    with pytest.raises(InvalidOption, match="got 'sideways'"):
        read(path, orientation="sideways")
    with pytest.raises(
        InvalidOption,
        match=r"not an edge list: leave out where=|by its columns: leave out orientation=",
    ):
        read(path, orientation="pre-post", where="a=b")


@pytest.mark.parametrize("suffix", [".csv", ".npy", ".npz", ".mtx"])
def test_a_symmetric_matrix_needs_none(tmp_path, suffix):
    net = read(saved(tmp_path, suffix, W + W.T))
    assert net.symmetric
    assert np.array_equal(net.weights.toarray(), W + W.T)


def test_the_diagonal_tells_operator_from_weights(tmp_path):
    A = W - 9 * np.eye(3)
    operator = read(saved(tmp_path, ".npy", A), orientation="post-pre")
    assert operator.leak.tolist() == [9, 9, 9]
    mixed = saved(tmp_path, ".npy", W + np.diag([0, -1.0, 2.0]))
    with pytest.raises(InvalidNetwork, match="content="):
        read(mixed, orientation="post-pre")
    net = read(mixed, orientation="post-pre", content="weights")
    assert np.array_equal(net.weights.toarray(), W)
    assert net.origin["self_connections_dropped"] == 2


def test_a_matrix_with_names_along_its_edges(tmp_path):
    path = tmp_path / "net.csv"
    path.write_text(",a,b,c\na,0,2,0\nb,0,0,3\nc,4,0,0\n", encoding="utf-8")
    net = read(path, orientation="post-pre")
    assert net.labels == ("a", "b", "c")
    assert np.array_equal(net.weights.toarray(), W)
    path.write_text("10,20,30\n0,2,0\n0,0,3\n4,0,0\n".replace("10", "x"), encoding="utf-8")
    assert read(path, orientation="post-pre").labels == ("x", "20", "30")


def test_a_hole_in_a_matrix_is_named(tmp_path):
    path = tmp_path / "net.csv"
    path.write_text("0,2,0\n0,0,x\n4,0,0\n", encoding="utf-8")
    with pytest.raises(BadFile, match="line 2, column 3 holds 'x'"):
        read(path, orientation="post-pre")


@quiet
@pytest.mark.parametrize("suffix", FORMATS)
def test_what_is_written_reads_back_the_same(tmp_path, suffix, network):
    labelled = Network(
        network.weights,
        network.leak,
        network.noise_std,
        "tanh",
        labels=[f'neuron "{k}", the #{k} é' for k in range(network.n_neurons)],
        symmetric=network.symmetric,
    )
    pruned = prune(network, density=0.7, compare=False, rng=1).network
    for net in (network, labelled, pruned):
        path = tmp_path / f"net.{suffix}"
        write(net, path, overwrite=True)
        again = read(path)
        assert (again.matrix() != net.matrix()).nnz == 0
        assert np.array_equal(again.leak, net.leak)
        assert np.array_equal(again.noise_std, net.noise_std)
        assert (again.labels, again.symmetric, again.activation) == (net.labels, net.symmetric, net.activation)
        assert again.origin == net.origin


@pytest.mark.parametrize("suffix", FORMATS)
def test_single_precision_and_64_bit_ids_survive(tmp_path, suffix):
    net = Network(np.array([[0, 1 / 3], [0, 0]], dtype=np.float32), [1.0, 2.0], labels=[2**62 + 1, 2**53 + 1])
    write(net, tmp_path / f"net.{suffix}")
    again = read(tmp_path / f"net.{suffix}")
    assert again.weights.dtype == np.float32
    assert again.weights[0, 1] == np.float32(1 / 3)
    assert again.labels == net.labels


def test_a_written_npz_opens_in_scipy(tmp_path):
    net = gallery.clustered([10, 5], between=4, rng=3)
    write(net, tmp_path / "net.npz")
    assert (sp.load_npz(tmp_path / "net.npz") != net.weights).nnz == 0


def test_a_changed_file_is_read_without_its_old_record(tmp_path):
    write(Network([[0, 1.0], [0, 0]], 3.0, labels=["a", "b"]), tmp_path / "net.csv")
    (tmp_path / "net.csv").write_text("pre,post,weight\na,b,2\nb,a,1\n", encoding="utf-8")
    with pytest.warns(NoisePruneWarning, match="the digest differs"):
        net = read(tmp_path / "net.csv")
    assert net.leak.tolist() == [1.05, 2.1]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"format_version": 1', '"format_version": 99', "has format version 99"),
        ('"format_version": 1,', "", "is no record"),
        ('"n_neurons": 2', '"n_neurons": 3', "n_neurons is 3, the matrix 2 x 2"),
        ('"leak": 3.0', '"leak": -3.0', "leak must be positive"),
        ('"leak": 3.0,', "", "it has no 'leak'"),
        ('"label_type": "str"', '"label_type": "int"', "invalid literal"),
    ],
)
@pytest.mark.parametrize("suffix", ["csv", "mtx", "npy"])
def test_a_damaged_record_is_named(tmp_path, suffix, old, new, message):
    path = tmp_path / f"net.{suffix}"
    write(Network([[0, 1.0], [0, 0]], 3.0, labels=["a", "b"]), path)
    beside = tmp_path / f"net.{suffix}.json"
    text = beside.read_text(encoding="utf-8")
    assert old in text
    beside.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(BadFile, match=message):
        read(path)


@pytest.mark.parametrize("record", ["", "{}", '{"SamplingFrequency": 3}'])
def test_somebody_elses_record_is_left_alone(tmp_path, record):
    (tmp_path / "net.csv").write_text("pre,post,weight\na,b,2\nb,a,1\n", encoding="utf-8")
    (tmp_path / "net.csv.json").write_text(record, encoding="utf-8")
    assert read(tmp_path / "net.csv").n_synapses == 2


def test_options_for_a_file_that_records_everything_are_refused(tmp_path):
    write(gallery.ring(5), tmp_path / "net.csv")
    with pytest.raises(InvalidOption, match="it records everything: leave out where="):
        read(tmp_path / "net.csv", where="pre=1")
    with pytest.raises(InvalidOption, match="records its own leak"):
        read(tmp_path / "net.csv", base_leak=1.0)


# --- nothing is lost


@pytest.mark.parametrize("suffix", ["csv", "npz"])
def test_files_that_exist_are_not_overwritten_unless_asked(tmp_path, suffix):
    path = tmp_path / f"net.{suffix}"
    write(gallery.ring(5), path)
    before = path.read_bytes()
    with pytest.raises(BadFile, match="exists already.*overwrite=True"):
        write(gallery.ring(6), path)
    assert path.read_bytes() == before
    write(gallery.ring(6), path, overwrite=True)
    assert read(path).n_neurons == 6


def test_a_write_that_fails_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(
        noiseprune.machine.output.os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "disk full"))
    )
    with pytest.raises(BadFile, match="disk full"):
        write(gallery.ring(5), tmp_path / "net.csv")
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_written_are_named(tmp_path):
    net = gallery.ring(5)
    with pytest.raises(BadFile, match="the folder .* does not exist"):
        write(net, tmp_path / "nowhere" / "net.csv")
    with pytest.raises(BadFile, match="is a folder"):
        (tmp_path / "net.csv").mkdir()
        write(net, tmp_path / "net.csv")
    with pytest.raises(BadFile, match="unknown suffix '.doc'"):
        write(net, tmp_path / "net.doc")


# --- damaged files


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".mtx"])
@pytest.mark.parametrize(
    "damage", [lambda b: b[: len(b) // 2], lambda b: b"garbage" + b, lambda b: b[:4]], ids=["half", "prefix", "four"]
)
def test_damaged_files_are_named(tmp_path, suffix, damage):
    path = saved(tmp_path, suffix)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BadFile, match=f"net{suffix}: (is no readable|line)"):
        read(path, orientation="post-pre")


def crafted(**more):
    """An .npz in SciPy's layout, with something wrong in it."""
    arrays = {
        "format": np.array(b"csr"),
        "shape": np.array([2, 2]),
        "indices": np.array([0, 1]),
        "indptr": np.array([0, 1, 2]),
        "data": np.ones(2),
    }
    return arrays | more


@pytest.mark.parametrize(
    "wrong",
    [
        {"indices": np.array([0, 900_000_000])},
        {"indices": np.array([0, -1])},
        {"indptr": np.array([0, 5, 2])},
        {"format": np.array(b"csc"), "indices": np.array([0, 9])},
        {"format": np.array(7)},
        {"format": np.array(b"zzz")},
        {"shape": np.array(2)},
        {"data": np.array(["a", "b"])},
    ],
    ids=str,
)
def test_a_sparse_matrix_that_points_outside_itself_is_refused(tmp_path, wrong):
    np.savez(tmp_path / "net.npz", **crafted(**wrong))
    with pytest.raises(BadFile, match="net.npz"):
        read(tmp_path / "net.npz", orientation="post-pre")


def test_flipped_bytes_never_escape_as_foreign_errors(tmp_path):
    write(gallery.clustered([6, 4], between=4, rng=6), tmp_path / "net.npz")
    prune(gallery.ring(8), density=1.0).save(tmp_path / "run.npz")
    random = np.random.default_rng(7)
    for name, reader in (("net.npz", read), ("run.npz", noiseprune.load)):
        original = (tmp_path / name).read_bytes()
        for _ in range(100):
            data = bytearray(original)
            data[random.integers(len(data))] ^= 1 << random.integers(8)
            (tmp_path / name).write_bytes(data)
            try:
                reader(tmp_path / name)
            except noiseprune.NoisePruneError:
                continue


def test_other_archives_and_shapes_are_named(tmp_path):
    np.savez(tmp_path / "net.npz", W=np.ones((2, 3)), x=1.0)
    with pytest.raises(BadFile, match=r"holds no square matrix of numbers; it holds W \(2 x 3\), x \(a number\)"):
        read(tmp_path / "net.npz")
    (tmp_path / "net.npy").write_bytes((tmp_path / "net.npz").read_bytes())
    with pytest.raises(BadFile, match="is an .npz archive; rename it"):
        read(tmp_path / "net.npy")
    np.save(tmp_path / "net.npy", np.ones(3))
    with pytest.raises(BadFile, match=r"square matrix .* got shape \(3,\)"):
        read(tmp_path / "net.npy")
    np.save(tmp_path / "net.npy", np.array([[0, np.nan], [1, 0]]))
    with pytest.raises(BadFile, match=r"the matrix\[0, 1\] is nan"):
        read(tmp_path / "net.npy", orientation="pre-post")
    with pytest.raises(BadFile, match="unknown suffix"):
        read(tmp_path / "net.npz.gz")
    (tmp_path / "net.mtx").write_text("%%MatrixMarket matrix coordinate real general\n3000000000 3000000000 1\n1 1 1\n")
    with pytest.raises(TooLarge, match="3000000000 x 3000000000"):
        read(tmp_path / "net.mtx")


def test_rounding_is_no_orientation(tmp_path):
    np.save(tmp_path / "net.npy", np.array([[0, 0.1], [0.1 * (1 + 4e-16), 0]]))
    assert read(tmp_path / "net.npy").symmetric


def test_a_leak_that_is_there_is_not_silently_replaced(tmp_path):
    np.save(tmp_path / "net.npy", W + W.T - 20 * np.eye(3))
    with pytest.raises(InvalidOption, match=r"the diagonal of this matrix holds one.*content="):
        read(tmp_path / "net.npy", base_leak=1.0)
    assert read(tmp_path / "net.npy", base_leak=1.0, content="weights").leak.tolist() == [1, 1, 1]


def test_a_network_without_synapses_takes_a_rate(tmp_path):
    np.save(tmp_path / "net.npy", np.zeros((2, 2)))
    with pytest.raises(InvalidNetwork, match="give a rate"):
        read(tmp_path / "net.npy")
    assert read(tmp_path / "net.npy", base_leak=2.0).leak.tolist() == [2, 2]
    (tmp_path / "one.csv").write_text("-3\n", encoding="utf-8")
    assert read(tmp_path / "one.csv").leak.tolist() == [3]


def test_pickles_are_never_loaded(tmp_path):
    np.save(tmp_path / "net.npy", np.array([[object()]]), allow_pickle=True)
    with pytest.raises(BadFile, match="no readable .npy array"):
        read(tmp_path / "net.npy")
    np.savez(tmp_path / "net.npz", format=np.array([object()], dtype=object), data=np.ones(1))
    with pytest.raises(BadFile, match="no readable .npz"):
        read(tmp_path / "net.npz")


HEADER = b"%%MatrixMarket matrix coordinate real general\n2 2 1\n"


@pytest.mark.parametrize("word", [b"0.25x", b"0x2", b"1.2.3", b"2.5\x00-3", b"0\xff2", b"nan"])
def test_a_word_that_is_no_number_is_named_and_does_not_crash(tmp_path, word):
    path = tmp_path / "net.mtx"
    path.write_bytes(HEADER + b"1 2 " + word)
    with pytest.raises(BadFile, match="line 3 holds .* which is no finite number"):
        read(path, orientation="post-pre")


def test_mutated_matrix_market_files_never_crash(tmp_path):
    path = tmp_path / "net.mtx"
    original = HEADER.replace(b"2 2 1", b"3 3 4") + b"1 2 1.5\n2 3 -2.5e-3\n3 1 7\n1 3 0.25\n"
    random = np.random.default_rng(5)
    for _ in range(200):
        data = bytearray(original)
        for _ in range(random.integers(1, 4)):
            data[random.integers(len(data))] = random.integers(256)
        path.write_bytes(data)
        try:
            read(path, orientation="post-pre")
        except noiseprune.NoisePruneError:
            continue


# --- results


@quiet
@pytest.mark.parametrize("rule", ["noise", "magnitude"])
def test_a_result_is_saved_and_loaded_whole(tmp_path, network, rule):
    result = prune(network, density=0.6, rule=rule, rng=2)
    result.save(tmp_path / "run.npz", overwrite=True)
    again = noiseprune.load(tmp_path / "run.npz")
    assert (again.network.matrix() != result.network.matrix()).nnz == 0
    assert (again.original.matrix() != result.original.matrix()).nnz == 0
    assert np.array_equal(again.kept, result.kept)
    assert np.array_equal(again.probability.value, result.probability.value)
    assert again.probability.constant == result.probability.constant
    assert again.comparison == result.comparison
    assert again.provenance == result.provenance
    assert repr(again) == repr(result)
    if rule == "noise":
        assert np.array_equal(again.variance.value, result.variance.value)
        assert again.variance.source == result.variance.source
    else:
        assert again.variance is None


def test_results_and_networks_are_not_mistaken_for_each_other(tmp_path):
    prune(gallery.ring(8), density=1.0).save(tmp_path / "run.npz")
    with pytest.raises(BadFile, match=r"noiseprune\.load"):
        read(tmp_path / "run.npz")
    write(gallery.ring(8), tmp_path / "net.npz")
    with pytest.raises(BadFile, match=r"noiseprune\.read"):
        noiseprune.load(tmp_path / "net.npz")
    with pytest.raises(BadFile, match="no such file"):
        noiseprune.load(tmp_path / "nothing.npz")
    (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 no")
    with pytest.raises(BadFile, match="no readable result"):
        noiseprune.load(tmp_path / "bad.npz")
    with pytest.raises(BadFile, match="saved as .npz"):
        prune(gallery.ring(8), density=1.0).save(tmp_path / "run.dat")
    with pytest.raises(BadFile, match="exists already"):
        prune(gallery.ring(8), density=1.0).save(tmp_path / "run.npz")


@pytest.mark.skipif(sys.platform == "win32", reason="permissions and links of Unix")
def test_a_file_has_the_permissions_that_a_new_or_the_old_one_has(tmp_path):
    (tmp_path / "other").touch()
    usual = (tmp_path / "other").stat().st_mode
    for name in ("net.csv", "net.csv.gz", "net.npz"):
        path = tmp_path / name
        write(gallery.ring(5), path)
        assert path.stat().st_mode == usual
        path.chmod(0o640)
        write(gallery.ring(6), path, overwrite=True)
        assert path.stat().st_mode & 0o777 == 0o640
        path.chmod(0o444)
        write(gallery.ring(7), path, overwrite=True)
        assert path.stat().st_mode & 0o777 == 0o444


@pytest.mark.skipif(sys.platform == "win32", reason="permissions and links of Unix")
def test_a_link_stays_and_its_target_is_written(tmp_path):
    (tmp_path / "data").mkdir()
    link, target = tmp_path / "net.npz", tmp_path / "data" / "real.npz"
    link.symlink_to(target)
    with pytest.raises(BadFile, match="exists already"):
        write(gallery.ring(5), link)
    write(gallery.ring(5), link, overwrite=True)
    assert link.is_symlink()
    assert read(target).n_neurons == 5
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["real.npz"]
    (tmp_path / "lost.npz").symlink_to(tmp_path / "nowhere" / "net.npz")
    with pytest.raises(BadFile, match=r"the folder .*nowhere does not exist"):
        write(gallery.ring(5), tmp_path / "lost.npz", overwrite=True)
