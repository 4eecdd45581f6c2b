import numpy as np
import pytest

from noiseprune import compare, gallery, prune, sweep
from noiseprune.errors import InvalidNetwork, InvalidOption
from tests.networks import quiet

pytestmark = quiet
SETTINGS = {"density": 0.5, "rng": 3, "compare": False}


@pytest.fixture
def net():
    return gallery.clustered([12, 8], within=0.8, between=8, signed=True, rng=11)


@pytest.fixture
def directed():
    return gallery.excitatory_inhibitory(20, connection=0.4, rng=12)


@pytest.mark.parametrize("kind", ["net", "directed"])
def test_a_networkx_graph_comes_back_as_one_with_its_attributes(request, kind):
    networkx = pytest.importorskip("networkx")
    net = request.getfixturevalue(kind)
    graph = networkx.Graph() if net.symmetric else networkx.DiGraph()
    graph.add_nodes_from((f"n{k}", {"area": "V1"}) for k in range(net.n_neurons))
    post, pre, weight = net.links
    graph.add_edges_from((f"n{j}", f"n{i}", {"weight": w, "age": 3}) for i, j, w in zip(post, pre, weight, strict=True))
    before = networkx.to_numpy_array(graph)
    result = prune(graph, **SETTINGS)
    pruned = result.in_kind
    assert type(pruned) is type(graph)
    assert next(iter(pruned.nodes(data="area"))) == ("n0", "V1")
    assert all(age == 3 for *_, age in pruned.edges(data="age"))
    assert np.allclose(networkx.to_numpy_array(pruned).T, result.network.weights.toarray(), rtol=1e-12)
    assert np.array_equal(networkx.to_numpy_array(graph), before)
    assert result.original.origin["base_leak"]["kind"] == "dominant"
    assert result.network.n_synapses < net.n_synapses


def test_parallel_edges_of_a_multigraph_are_summed_and_strengthened_alike():
    networkx = pytest.importorskip("networkx")
    graph = networkx.MultiDiGraph()
    graph.add_edge("a", "b", weight=1.0)
    graph.add_edge("a", "b", weight=3.0)
    graph.add_edge("b", "a")
    graph.add_edge("a", "a", weight=9.0)
    with pytest.raises(
        InvalidNetwork, match=r"edge \('b', 'a'.* has weight = None, where a finite number was expected"
    ):
        prune(graph, **SETTINGS)
    graph["b"]["a"][0]["weight"] = 2.0
    result = prune(graph, density=1.0, strengthen="reciprocal")
    assert sorted(w for *_, w in result.in_kind.edges(data="weight")) == [1.0, 2.0, 3.0]
    assert result.original.weights[1, 0] == 4.0
    assert result.original.origin["self_connections_dropped"] == 1
    assert result.original.origin["parallel_edges_summed"] == 1


def test_which_attribute_is_the_weight_is_asked_where_several_could_be():
    networkx = pytest.importorskip("networkx")
    graph = networkx.cycle_graph(4)
    networkx.set_edge_attributes(graph, 2.0, "fibers")
    assert prune(graph, density=1.0).original.weights[0, 1] == 2.0
    networkx.set_edge_attributes(graph, 1.0, "length")
    with pytest.raises(InvalidNetwork, match="several attributes of the edges could be the weight, fibers, length"):
        prune(graph, density=1.0)


@pytest.mark.parametrize("kind", ["net", "directed"])
def test_an_igraph_graph_comes_back_as_one(request, kind):
    igraph = pytest.importorskip("igraph")
    net = request.getfixturevalue(kind)
    post, pre, weight = net.links
    graph = igraph.Graph(net.n_neurons, list(zip(pre.tolist(), post.tolist(), strict=True)), directed=not net.symmetric)
    graph.es["weight"] = weight.tolist()
    graph.vs["name"] = [f"n{k}" for k in range(net.n_neurons)]
    result = prune(graph, **SETTINGS)
    pruned = result.in_kind
    assert isinstance(pruned, igraph.Graph)
    assert result.original.labels[3] == "n3"
    there = pruned.get_adjacency_sparse("weight").toarray()
    assert np.allclose(there.T, result.network.weights.toarray(), rtol=1e-12)
    assert graph.ecount() == net.n_links


def test_a_pygsp_graph_comes_back_as_one(net):
    pygsp = pytest.importorskip("pygsp")
    positive = gallery.clustered([12, 8], within=0.8, between=8, rng=11)
    graph = pygsp.graphs.Graph(positive.weights.toarray())
    result = prune(graph, **SETTINGS)
    assert isinstance(result.in_kind, pygsp.graphs.Graph)
    assert np.allclose(result.in_kind.W.toarray(), result.network.weights.toarray(), rtol=1e-12)


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("ids", ["names", "numbers"])
def test_a_frame_comes_back_with_all_its_columns(directed, library, ids):
    frames = pytest.importorskip(library)
    post, pre, weight = directed.synapses
    big = 720575940600000000
    name = (lambda k: f"n{k}") if ids == "names" else (lambda k: big + int(k))
    columns = {
        "pre_root_id": [name(k) for k in pre for _ in "ab"],
        "post_root_id": [name(k) for k in post for _ in "ab"],
        "neuropil": ["LO", "ME"] * len(pre),
        "syn_count": [w * share for w in weight for share in (0.25, 0.75)],
    }
    frame = frames.DataFrame(columns)
    result = prune(frame, **SETTINGS)
    pruned = result.in_kind
    assert type(pruned) is type(frame)
    assert list(pruned.columns) == list(columns)
    assert len(pruned) == 2 * result.network.n_synapses
    assert result.original.origin["duplicate_rows_summed"] == len(pre)
    summed = dict.fromkeys(zip(pruned["post_root_id"], pruned["pre_root_id"], strict=True), 0.0)
    for i, j, w in zip(pruned["post_root_id"], pruned["pre_root_id"], pruned["syn_count"], strict=True):
        summed[i, j] += w
    labels = result.network.labels
    there = {(labels[i], labels[j]): w for i, j, w in zip(*result.network.synapses, strict=True)}
    assert summed == pytest.approx(there, rel=1e-12)


def test_a_frame_without_columns_of_neurons_is_refused():
    polars = pytest.importorskip("polars")
    with pytest.raises(InvalidNetwork, match="the polars frame: no column for pre among 'a', 'weight'"):
        prune(polars.DataFrame({"a": [1], "weight": [2.0]}), density=0.5)


def test_a_graph_holds_weights_and_its_leak_can_be_chosen(net):
    networkx = pytest.importorskip("networkx")
    graph = networkx.path_graph(5)
    with pytest.raises(InvalidOption, match="a graph or an edge list holds weights"):
        prune(graph, density=0.5, content="operator")
    assert set(prune(graph, density=1.0, base_leak=2.0).original.leak) == {2.0}


def test_a_matrix_comes_back_as_one(net):
    dense = net.matrix().toarray()
    result = prune(dense, **SETTINGS)
    assert np.array_equal(result.in_kind, result.matrix)


def test_compare_and_sweep_take_graphs_too():
    networkx = pytest.importorskip("networkx")
    graph = networkx.karate_club_graph()
    assert compare(graph, graph).worst_direction == pytest.approx(0, abs=1e-9)
    assert len(sweep(graph, densities=[0.6], draws=2).rows) == 1


def test_a_result_from_a_graph_is_saved_as_its_networks(tmp_path):
    networkx = pytest.importorskip("networkx")
    from noiseprune import load

    result = prune(networkx.karate_club_graph(), **SETTINGS)
    result.save(tmp_path / "run.npz")
    again = load(tmp_path / "run.npz")
    assert (again.in_kind != result.network.weights).nnz == 0


def test_weights_of_numpy_types_are_weights_and_missing_ones_are_named():
    networkx = pytest.importorskip("networkx")
    for number in (np.float64, np.int64, np.float32):
        graph = networkx.cycle_graph(4)
        networkx.set_edge_attributes(graph, number(3), "fibers")
        assert prune(graph, density=1.0).original.weights[0, 1] == 3.0
    graph[0][1]["fibers"] = None
    with pytest.raises(InvalidNetwork, match=r"has fibers = None.* mend it, or drop the attribute$"):
        prune(graph, density=1.0)


def test_nodes_of_numpy_integers_are_integers():
    networkx = pytest.importorskip("networkx")
    graph = networkx.relabel_nodes(networkx.cycle_graph(4), lambda k: np.int64(k + 5))
    assert prune(graph, density=1.0).original.labels == (5, 6, 7, 8)


def test_weights_that_are_text_come_back_as_numbers():
    networkx = pytest.importorskip("networkx")
    graph = networkx.cycle_graph(4)
    networkx.set_edge_attributes(graph, "5", "weight")
    assert set(networkx.get_edge_attributes(prune(graph, density=1.0).in_kind, "weight").values()) == {5.0}


def test_a_large_graph_is_warned_of_once(monkeypatch, tmp_path):
    networkx = pytest.importorskip("networkx")
    import warnings

    from noiseprune import read
    from noiseprune.sources.files import graph_files

    networkx.write_graphml(networkx.cycle_graph(4), tmp_path / "net.graphml")
    monkeypatch.setattr(graph_files, "MANY_EDGES", 2)
    for call in (lambda: read(tmp_path / "net.graphml"), lambda: prune(networkx.cycle_graph(4), density=1.0)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            call()
        assert sum("NetworkX needs about" in str(warning.message) for warning in caught) == 1


def test_advice_on_objects_in_memory_names_no_options():
    networkx, polars = pytest.importorskip("networkx"), pytest.importorskip("polars")
    graph = networkx.cycle_graph(4)
    networkx.set_edge_attributes(graph, 2.0, "fibers")
    networkx.set_edge_attributes(graph, 1.0, "length")
    frames = [{"pre": ["a"], "source": ["b"], "post": ["b"]}, {"a": ["a"]}, {"pre": ["a"], "post": ["b"], "n": ["x"]}]
    for given in (graph, *map(polars.DataFrame, frames)):
        with pytest.raises(InvalidNetwork, match="rename|drop") as caught:
            prune(given, density=1.0)
        assert "--" not in str(caught.value)


def test_pandas_own_types_are_read_and_missing_ids_named():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"pre": [1, 2, 3], "post": [2, 3, 1], "weight": [True, True, False]})
    own = frame.astype({"pre": "Int64", "post": "Int64", "weight": "boolean"})
    for given in (frame, own):
        result = prune(given, density=1.0)
        assert result.original.labels == (1, 2, 3)
        assert result.in_kind["weight"].tolist() == pytest.approx([1.0, 1.0])
    own.loc[1, "post"] = pandas.NA
    with pytest.raises(InvalidNetwork, match="row 2 has no post neuron"):
        prune(own, density=0.5)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_categories_of_weights_and_floating_ids_in_text_come_back(library):
    frames = pytest.importorskip(library)
    frame = frames.DataFrame({"pre": ["1", "2"], "post": ["2.0", "1.0"], "weight": ["2", "3"]})
    if library == "pandas":
        frame = frame.astype({"weight": "category"})
    else:
        frame = frame.with_columns(frames.col("weight").cast(frames.Categorical))
    result = prune(frame, density=1.0)
    assert result.original.labels == (1, 2)
    assert list(result.in_kind["weight"]) == pytest.approx([2.0, 3.0])
    assert list(result.in_kind["post"]) == ["2.0", "1.0"]


def test_a_frame_of_lists_is_refused():
    polars = pytest.importorskip("polars")
    with pytest.raises(InvalidNetwork, match="holds List"):
        prune(polars.DataFrame({"pre": ["a"], "post": ["b"], "weight": [[1.0]]}), density=0.5)


# --- what was given may change afterwards


def _frame(library):
    frames = pytest.importorskip(library)
    return frames.DataFrame({"pre": [1, 2, 3, 4], "post": [2, 3, 4, 1], "weight": [1.0, 2.0, 3.0, 4.0]})


def _sorted_frame(frame):
    frame.iloc[:] = frame.iloc[::-1].to_numpy()


EDITS = {
    "pandas, sorted": (lambda: _frame("pandas"), _sorted_frame),
    "pandas, a column changed": (lambda: _frame("pandas"), lambda f: f.isetitem(2, [9.0] * 4)),
    "pandas, a column gone": (lambda: _frame("pandas"), lambda f: f.__delitem__("weight")),
    "polars, a cell changed": (lambda: _frame("polars"), lambda f: f.__setitem__((0, "weight"), 9.0)),
    "polars, a column gone": (lambda: _frame("polars"), lambda f: f.drop_in_place("weight")),
    "networkx, a node gone": (lambda: pytest.importorskip("networkx").karate_club_graph(), lambda g: g.remove_node(0)),
    "networkx, louder": (
        lambda: pytest.importorskip("networkx").karate_club_graph(),
        lambda g: [data.update(weight=100 * data["weight"]) for *_, data in g.edges(data=True)],
    ),
    "igraph, a vertex gone": (lambda: pytest.importorskip("igraph").Graph.Full(6), lambda g: g.delete_vertices([0])),
    "igraph, weighted": (
        lambda: pytest.importorskip("igraph").Graph.Full(6),
        lambda g: g.es.set_attribute_values("weight", 7.0),
    ),
    "matrix": (lambda: gallery.ring(8, 2).matrix().toarray(), lambda a: a.fill(0.0)),
    "sparse matrix": (lambda: gallery.ring(8, 2).matrix(), lambda a: a.data.fill(0.0)),
}


def _content(given):
    if hasattr(given, "get_edgelist"):
        return given.get_edgelist(), given.es["weight"]
    if hasattr(given, "edges"):
        return list(given.nodes), sorted(given.edges(data="weight"))
    if hasattr(given, "columns"):
        return list(given.columns), given.to_numpy().tolist()
    return given.toarray().tolist() if hasattr(given, "toarray") else given.tolist()


@pytest.mark.parametrize("edit", EDITS)
def test_what_comes_back_does_not_depend_on_what_became_of_what_was_given(edit):
    make, change = EDITS[edit]
    given = make()
    result = prune(given, density=0.7, rng=3, compare=False)
    first = _content(result.in_kind)
    change(given)
    assert _content(result.in_kind) == first
