"""Files as other people write them."""

import gzip

import numpy as np
import polars as pl
import pytest
import scipy.io
import scipy.sparse as sp

from noiseprune import Network, NoisePruneWarning, read, write
from noiseprune.errors import BadFile, InvalidOption
from tests.files.test_tables import edges, made

W = np.array([[0, 2.0, 0], [0, 0, -3], [4, 0, 0]])
BIG = 720575940600000000


def weights(net):
    return net.weights.toarray()


# --- tables --------------------------------------------------------------------------------------------------------

CODEX = {
    "pre_pt_root_id": [BIG + 1, BIG + 1, BIG + 2, BIG + 3, BIG + 3],
    "post_pt_root_id": [BIG + 2, BIG + 2, BIG + 3, BIG + 1, BIG + 3],
    "neuropil": ["LO_R", "ME_R", "LO_R", "ME_R", "ME_R"],
    "syn_count": [3, 4, 2, 9, 5],
    "nt_type": ["ACH", "ACH", "GABA", "GLUT", "GLUT"],
}


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "tsv", "parquet", "feather"])
def test_codex_tables_are_summed_over_neuropils_and_keep_their_ids(tmp_path, suffix):
    frame, path = pl.DataFrame(CODEX), tmp_path / f"connections.{suffix}"
    if suffix == "parquet":
        frame.write_parquet(path)
    elif suffix == "feather":
        frame.write_ipc(path)
    else:
        text = frame.write_csv(separator="\t" if suffix == "tsv" else ",").encode()
        path.write_bytes(gzip.compress(text) if suffix.endswith("gz") else text)
    net = read(path, signs="ACH=1,GABA=-1,GLUT=-1")
    assert net.labels == (BIG + 1, BIG + 2, BIG + 3)
    assert edges(net) == {(BIG + 1, BIG + 2): 7.0, (BIG + 2, BIG + 3): -2.0, (BIG + 3, BIG + 1): -9.0}
    assert net.origin["duplicate_rows_summed"] == 1
    assert net.origin["self_connections_dropped"] == 1
    assert net.origin["transmitters"] == {"ACH": "+", "GABA": "-", "GLUT": "-"}
    thresholded = read(path, threshold=5)
    assert edges(thresholded) == {(BIG + 1, BIG + 2): 7.0, (BIG + 3, BIG + 1): 9.0}
    assert thresholded.n_neurons == 3
    assert thresholded.origin["connections_below_threshold_dropped"] == 1
    assert edges(read(path, where="neuropil=ME_R")) == {(BIG + 1, BIG + 2): 4.0, (BIG + 3, BIG + 1): 9.0}


def test_neuprint_columns_are_known(tmp_path):
    net = read(made(tmp_path, "bodyId_pre,bodyId_post,roi,weight\n5813,87,EB,3\n5813,87,PB,2\n87,5813,EB,1\n"))
    assert edges(net) == {(5813, 87): 5.0, (87, 5813): 1.0}


def test_signs_come_from_a_mapping_a_text_or_a_table(tmp_path):
    path = made(tmp_path, "pre,post,weight,nt\na,b,2,ACh\nb,c,3,GABA\nc,a,4,\na,c,5,DA\n")
    table = made(tmp_path, "transmitter,sign\nACh,1\nGABA,-1\nnone,1\nDA,0\n", "signs.csv")
    expected = {("a", "b"): 2.0, ("b", "c"): -3.0, ("c", "a"): 4.0}
    for signs in ({"ach": 1, "gaba": -1, "none": 1, "da": 0}, "ACh=1,GABA=-1,none=1,DA=0", table):
        net = read(path, transmitter_column="nt", signs=signs)
        assert edges(net) == expected
        assert net.origin["transmitters"]["DA"] == "dropped"
    with pytest.raises(BadFile, match="signs= has no sign for 'GABA', 'none', 'DA'; it has ach: add 1, -1, or 0"):
        read(path, transmitter_column="nt", signs="ACh=1")
    with pytest.raises(InvalidOption, match="signs are 1, -1 or 0"):
        read(path, transmitter_column="nt", signs="ACh=2")
    with pytest.raises(InvalidOption, match="either signs= or inhibitory="):
        read(path, transmitter_column="nt", signs="ACh=1", inhibitory="GABA")
    with pytest.raises(BadFile, match="signs= needs a column of transmitters"):
        read(made(tmp_path, "pre,post\na,b\n", "bare.csv"), signs="ACh=1")


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ("I1L , I2L           ,10,chemical\nI2L,I1L,3,chemical\n", {"pre": "I1L"}, None),
        ("N1,N2,kind,Nbr\nI1L , I2L           ,chemical,10\n", {"pre": "N1", "post": "N2", "weight": "Nbr"}, 10.0),
        ("pre;post;weight\nI1L;I2L;0,5\n", {"decimal_comma": True}, 0.5),
        ("pre\tpost\tweight\nI1L\tI2L\t1,25\n", {"decimal_comma": True}, 1.25),
        ("pre,post,weight\n\n# a remark, in between\nI1L,I2L,2\n", {}, 2.0),
        ("pre,post,weight\r\nI1L,I2L,2\r\n", {}, 2.0),
    ],
)
def test_untidy_tables(tmp_path, content, options, expected):
    path = made(tmp_path, content)
    if expected is None:
        with pytest.raises(BadFile, match="'I1L' is a neuron of the first row.*give no_header=True"):
            read(path, **options)
    else:
        assert edges(read(path, **options)) == {("I1L", "I2L"): expected}


def test_the_worms_other_table_has_no_header_and_four_columns(tmp_path):
    path = made(tmp_path, "Origin,Target,Weight,Type\nI1L , I2L           ,10,chemical\nI2L,I1L,3,chemical\n")
    assert edges(read(path)) == {("I1L", "I2L"): 10.0, ("I2L", "I1L"): 3.0}


def test_ids_of_mixed_type_are_names_however_far_down_the_first_name_stands(tmp_path):
    rows = "".join(f"{k},{k + 1},1\n" for k in range(1000))
    net = read(made(tmp_path, f"pre,post,weight\n{rows}L2,0,1\n"))
    assert net.labels[:2] == ("0", "1")
    assert net.labels[-1] == "L2"


def test_padded_numbers_stay_other_ids_however_far_down_they_stand(tmp_path):
    rows = "".join(f"{k},{k + 1},1\n" for k in range(1, 1000))
    net = read(made(tmp_path, f"pre,post,weight\n{rows}7,007,1\n"))
    assert net.labels[-1] == "007"
    assert "7" in net.labels


def test_unsigned_and_small_integers_and_categories_are_ids_too(tmp_path):
    frame = pl.DataFrame({"pre": [1, 2], "post": [2, 1], "weight": [1.0, 2.0]})
    for dtype in (pl.UInt64, pl.Int16, pl.Float64):
        frame.with_columns(pl.col("pre").cast(dtype)).write_parquet(tmp_path / "net.parquet")
        assert read(tmp_path / "net.parquet").labels == (1, 2)
    names = frame.with_columns(pl.col("pre", "post").cast(pl.String).cast(pl.Categorical))
    names.write_parquet(tmp_path / "net.parquet")
    assert read(tmp_path / "net.parquet").labels == (1, 2)


def test_a_parquet_file_changed_by_others_is_read_without_its_old_record(tmp_path):
    write(Network(W, 9.0, labels=["a", "b", "c"]), tmp_path / "net.parquet")
    table, record = pl.read_parquet(tmp_path / "net.parquet"), pl.read_parquet_metadata(tmp_path / "net.parquet")
    table[1:].write_parquet(tmp_path / "net.parquet", metadata={"noiseprune": record["noiseprune"]})
    with pytest.warns(NoisePruneWarning, match="its weights changed after noiseprune wrote it"):
        net = read(tmp_path / "net.parquet")
    assert net.n_synapses == 2
    assert net.leak[0] != 9.0


# --- matrices ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("matrix", [W, sp.csc_array(W), W.astype(np.float32), sp.csc_array(W.astype(bool))])
def test_matlab_up_to_version_7(tmp_path, matrix):
    scipy.io.savemat(
        tmp_path / "net.mat", {"W": matrix, "names": np.array(["a", "b"], dtype=object), "x": np.arange(3)}
    )
    net = read(tmp_path / "net.mat", orientation="post-pre")
    assert np.array_equal(weights(net), matrix.toarray() if sp.issparse(matrix) else matrix)
    assert np.array_equal(weights(read(tmp_path / "net.mat", orientation="pre-post")), weights(net).T)
    with pytest.raises(BadFile, match="holds no matrix 'V'; those it holds are W"):
        read(tmp_path / "net.mat", variable="V")


@pytest.mark.parametrize("sparse", [False, True])
def test_matlab_of_version_7_3(tmp_path, sparse):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "net.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        if sparse:
            group, csc = file.create_group("W"), sp.csc_array(W)
            group.attrs["MATLAB_sparse"] = np.uint64(3)
            group["data"], group["ir"], group["jc"] = csc.data, csc.indices.astype("u8"), csc.indptr.astype("u8")
            item = group
        else:
            item = file.create_dataset("W", data=W.T)  # columns together
        item.attrs["MATLAB_class"] = np.bytes_("double")
        other = file.create_group("net")
        other.attrs["MATLAB_class"] = np.bytes_("struct")
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64")
    assert np.array_equal(weights(read(path, orientation="post-pre")), W)
    with pytest.raises(BadFile, match="holds no matrix 'net'; those it holds are W"):
        read(path, variable="net")


@pytest.mark.parametrize("layout", ["csr_matrix", "csc_matrix"])
def test_anndata(tmp_path, layout):
    h5py = pytest.importorskip("h5py")
    matrix = (sp.csr_array if layout == "csr_matrix" else sp.csc_array)(W)
    with h5py.File(tmp_path / "net.h5ad", "w") as file:
        group = file.create_group("obsp/connectivities")
        group.attrs["encoding-type"], group.attrs["shape"] = layout, W.shape
        group["data"], group["indices"], group["indptr"] = matrix.data, matrix.indices, matrix.indptr
        file.create_group("obs").attrs["_index"] = "cell"
        file["obs/cell"] = ["x", "y", "z"]
        file["X"] = np.ones((3, 2))
    net = read(tmp_path / "net.h5ad", orientation="post-pre")
    assert np.array_equal(weights(net), W)
    assert net.labels == ("x", "y", "z")


def test_one_matrix_of_several_is_chosen(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "net.h5", "w") as file:
        file["one/A"], file["B"] = W, 2 * W
        file["elsewhere"] = h5py.ExternalLink("other.h5", "/A")
    assert np.array_equal(weights(read(tmp_path / "net.h5", variable="one/A", orientation="post-pre")), W)
    with pytest.raises(BadFile, match="holds 2 matrices, B, one/A: choose one with variable="):
        read(tmp_path / "net.h5")


# --- graphs, models, simulators ------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["graphml", "gml"])
def test_graphs_as_networkx_writes_them(tmp_path, suffix):
    networkx = pytest.importorskip("networkx")
    graph = networkx.DiGraph()
    graph.add_weighted_edges_from([("a", "b", 2.5), ("b", "c", -1.0)])
    graph.add_node("alone")
    getattr(networkx, f"write_{suffix}")(graph, tmp_path / f"net.{suffix}")
    net = read(tmp_path / f"net.{suffix}")
    assert edges(net) == {("a", "b"): 2.5, ("b", "c"): -1.0}
    assert net.labels == ("a", "b", "c", "alone")


def test_sonata_edges_of_others_with_and_without_weights(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "edges.h5"
    with h5py.File(path, "w") as file:
        file["edges/v1/source_node_id"], file["edges/v1/target_node_id"] = [0, 1, 2, 2], [1, 2, 0, 2]
    assert edges(read(path)) == {(0, 1): 1.0, (1, 2): 1.0, (2, 0): 1.0}
    with h5py.File(path, "a") as file:
        file["edges/v1/0/syn_weight"] = [2.0, 3.0, 4.0, 5.0]
    net = read(path)
    assert edges(net) == {(0, 1): 2.0, (1, 2): 3.0, (2, 0): 4.0}
    assert net.origin["self_connections_dropped"] == 1


def test_what_sonata_readers_expect_is_there(tmp_path):
    h5py = pytest.importorskip("h5py")
    write(Network(W, 9.0), tmp_path / "net.sonata.h5")
    with h5py.File(tmp_path / "net.sonata.h5") as file:
        assert file.attrs["magic"] == 0x0A7A
        edges_ = file["edges/recurrent"]
        assert edges_["source_node_id"].attrs["node_population"] == "neurons"
        places = zip(edges_["target_node_id"], edges_["source_node_id"], edges_["0/syn_weight"], strict=True)
        assert all(W[i, j] == w for i, j, w in places)
        assert list(edges_["edge_group_index"]) == [0, 1, 2]


def test_safetensors_of_a_model_are_read_by_pytorchs_convention(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    own = W + np.diag([1.0, 0, 0])
    safetensors.save_file({"weight_hh_l0": own, "bias": np.zeros(3)}, tmp_path / "net.safetensors")
    net = read(tmp_path / "net.safetensors")
    assert np.array_equal(weights(net), W)
    assert net.origin["self_connections_dropped"] == 1
    assert net.origin["orientation"] == "post-pre, by PyTorch's convention"
    assert "not the dynamics of the trained model" in net.origin["caution"]


@pytest.mark.parametrize("nested", [False, True])
def test_a_state_dict_is_read_without_running_what_it_holds(tmp_path, nested):
    torch = pytest.importorskip("torch")
    state = {"weight_hh_l0": torch.tensor(W, dtype=torch.float32), "bias_hh_l0": torch.zeros(3)}
    torch.save({"model": state, "epoch": 3} if nested else state, tmp_path / "net.pt")
    assert np.array_equal(weights(read(tmp_path / "net.pt")), W)
    torch.save({"gru": torch.zeros(9, 3)}, tmp_path / "net.pt")
    with pytest.raises(BadFile, match="holds only matrices of gates, gru: prune the module by noiseprune.torch"):
        read(tmp_path / "net.pt")
    torch.save(torch.nn.RNN(2, 3), tmp_path / "net.pt")
    with pytest.raises(BadFile, match="no readable PyTorch state_dict"):
        read(tmp_path / "net.pt")


def test_a_nir_graph_of_leaky_integrators_has_their_leak(tmp_path):
    nir = pytest.importorskip("nir")
    n = 3
    nodes = {
        "in": nir.Input(input_type={"input": np.array([n])}),
        "li": nir.LI(tau=np.array([0.5, 0.25, 0.1]), r=np.array([1.0, 1.0, 2.0]), v_leak=np.zeros(n)),
        "w": nir.Linear(weight=W + np.diag([0, 0.75, 0])),
        "out": nir.Output(output_type={"output": np.array([n])}),
    }
    nir.write(tmp_path / "net.nir", nir.NIRGraph(nodes, [("in", "li"), ("li", "w"), ("w", "li"), ("li", "out")]))
    net = read(tmp_path / "net.nir")
    assert np.allclose(net.weights.toarray(), np.array([[2.0], [4.0], [20.0]]) * W)
    assert np.allclose(net.leak, [2.0, 4.0 - 4.0 * 0.75, 10.0])


def test_a_written_nir_graph_is_the_same_system(tmp_path):
    nir = pytest.importorskip("nir")
    write(Network(W, [2.0, 4.0, 5.0]), tmp_path / "net.nir")
    nodes = nir.read(tmp_path / "net.nir").nodes
    assert np.allclose(1 / nodes["neurons"].tau, [2.0, 4.0, 5.0])
    assert np.allclose(nodes["neurons"].r / nodes["neurons"].tau, 1.0)
    assert np.array_equal(nodes["recurrent"].weight, W)


# --- several things in one file ------------------------------------------------------------------------------------


def sonata(path, **populations):
    """Write edges, one population a keyword: (source, target, nodes from, nodes to)."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        for name, (source, target, *ends) in populations.items():
            for side, ids, nodes in zip(("source", "target"), (source, target), ends, strict=True):
                column = file.create_dataset(f"edges/{name}/{side}_node_id", data=ids)
                column.attrs["node_population"] = nodes
        file["nodes/v1/node_type_id"] = np.zeros(5, dtype=int)


def test_sonata_edges_between_two_populations_are_no_network_of_one(tmp_path):
    path = tmp_path / "net.sonata.h5"
    sonata(path, local=([0, 1, 1], [1, 0, 0], "v1", "v1"), inputs=([7], [0], "lgn", "v1"))
    net = read(path)
    assert edges(net) == {(0, 1): 1.0, (1, 0): 2.0}
    assert net.n_neurons == 5
    assert net.origin["duplicate_rows_summed"] == 1
    with pytest.raises(BadFile, match="the edges 'inputs' lead from one population to another, lgn to v1"):
        read(path, variable="inputs")
    sonata(path, inputs=([7], [0], "lgn", "v1"))
    with pytest.raises(BadFile, match="edges within one population were expected"):
        read(path)
    with pytest.raises(BadFile, match="holds no matrix 'local'"):
        read(path, variable="local")


def nir_graph(nir, **loops):
    """A graph of populations of leaky integrators, each with its loop."""
    nodes, links = {}, []
    for name, (weight, v_leak, bias) in loops.items():
        nodes[f"{name}_li"] = nir.LI(tau=np.full(3, 0.5), r=np.ones(3), v_leak=np.full(3, v_leak))
        nodes[name] = nir.Affine(weight=weight, bias=np.full(3, bias))
        links += [(f"{name}_li", name), (name, f"{name}_li")]
    nodes["in"] = nir.Input(input_type={"input": np.array([3])})
    nodes["out"] = nir.Output(output_type={"output": np.array([3])})
    first = f"{next(iter(loops))}_li"
    return nir.NIRGraph(nodes, [("in", first), *links, (first, "out")])


def test_one_of_two_loops_of_a_nir_graph_is_chosen_and_constant_inputs_are_noted(tmp_path):
    nir = pytest.importorskip("nir")
    nir.write(tmp_path / "net.nir", nir_graph(nir, a=(W, 0.0, 0.0), b=(W.T, 0.5, 1.0)))
    with pytest.raises(BadFile, match="holds 2 matrices, a, b: choose one with variable="):
        read(tmp_path / "net.nir")
    net = read(tmp_path / "net.nir", variable="b")
    assert np.array_equal(weights(net), 2 * W.T)
    assert net.leak.tolist() == [2, 2, 2]
    assert "not carried" in net.origin["bias"]
    assert "not carried" in net.origin["v_leak"]
    assert "bias" not in read(tmp_path / "net.nir", variable="a").origin
    with pytest.raises(InvalidOption, match="holds a leak: leave base_leak out"):
        read(tmp_path / "net.nir", variable="a", base_leak=1.0)


def test_single_numbers_beside_a_matrix_are_no_choice(tmp_path):
    h5py = pytest.importorskip("h5py")
    scipy.io.savemat(tmp_path / "net.mat", {"W": W, "dt": 0.1, "T": 5.0})
    assert np.array_equal(weights(read(tmp_path / "net.mat", orientation="post-pre")), W)
    oblong = sp.csr_array(np.ones((3, 2)))
    with h5py.File(tmp_path / "net.h5", "w") as file:
        file["W"], file["dt"], file["nothing"] = W, [[0.1]], h5py.Empty("f")
        file["obs/_index"] = ["x", "y", "z"]
        group = file.create_group("counts")
        group.attrs["shape"] = oblong.shape
        group["data"], group["indices"], group["indptr"] = oblong.data, oblong.indices, oblong.indptr
    net = read(tmp_path / "net.h5", orientation="post-pre")
    assert np.array_equal(weights(net), W)
    assert net.labels is None


@pytest.mark.parametrize("suffix", ["graphml", "gml"])
def test_names_that_igraph_keeps_beside_its_ids_are_the_labels(tmp_path, suffix):
    igraph = pytest.importorskip("igraph")
    pytest.importorskip("networkx")
    graph = igraph.Graph([(0, 1), (1, 2), (0, 1)], directed=True)
    graph.vs["name"] = ["x", "y", "z"]
    graph.es["weight"] = [1.0, 2.0, 4.0]
    getattr(graph, f"write_{suffix}")(str(tmp_path / f"net.{suffix}"))
    net = read(tmp_path / f"net.{suffix}")
    assert edges(net) == {("x", "y"): 5.0, ("y", "z"): 2.0}
    assert net.origin["parallel_edges_summed"] == 1


@pytest.mark.parametrize("suffix", ["graphml", "gml"])
def test_nodes_that_are_integers_stay_integers(tmp_path, suffix):
    networkx = pytest.importorskip("networkx")
    getattr(networkx, f"write_{suffix}")(networkx.cycle_graph([7, 8, 9]), tmp_path / f"net.{suffix}")
    assert read(tmp_path / f"net.{suffix}").labels == (7, 8, 9)


def test_an_arrow_stream_is_named(tmp_path):
    pl.DataFrame({"pre": [1], "post": [2]}).write_ipc_stream(tmp_path / "net.arrow")
    with pytest.raises(BadFile, match="is an Arrow stream; write it as an Arrow file"):
        read(tmp_path / "net.arrow")
