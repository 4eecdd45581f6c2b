"""Graphs: defaults of GraphML, several graphs, GEXF, Pajek."""

import pytest

from noiseprune import prune, read
from noiseprune.errors import BadFile, InvalidNetwork
from tests.files.test_tables import edges, made

networkx = pytest.importorskip("networkx")

HEAD = '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
KEY = '<key id="w" for="{scope}" attr.name="weight" attr.type="double"><default>5</default></key>'
NODES = '<node id="a"/><node id="b"/><node id="c"/>'
PAIR = '<edge source="a" target="b"/>'
OWN = '<edge source="b" target="c"><data key="w">3</data></edge>'


def graph(content, name="g"):
    return f'<graph id="{name}" edgedefault="directed">{NODES}{content}</graph>'


@pytest.mark.parametrize("scope", ["edge", "all"])
def test_what_graphml_says_of_all_edges_holds_where_an_edge_says_nothing(tmp_path, scope):
    path = made(tmp_path, HEAD + KEY.format(scope=scope) + graph(PAIR + OWN) + "</graphml>", "net.graphml")
    assert edges(read(path)) == {("a", "b"): 5.0, ("b", "c"): 3.0}


def test_a_graph_that_networkx_read_has_its_defaults_and_keeps_them(tmp_path):
    path = made(tmp_path, HEAD + KEY.format(scope="edge") + graph(PAIR + OWN) + "</graphml>", "net.graphml")
    pruned = prune(networkx.read_graphml(path), density=1.0, rng=1, compare=False)
    assert edges(pruned.original) == {("a", "b"): 5.0, ("b", "c"): 3.0}
    back = {(u, v): w for u, v, w in pruned.in_kind.edges(data="weight")}
    assert back == {("a", "b"): pytest.approx(5.0), ("b", "c"): pytest.approx(3.0)}


def test_what_graphml_says_of_all_nodes_names_none_of_them(tmp_path):
    key = '<key id="n" for="node" attr.name="name" attr.type="string"><default>x</default></key>'
    path = made(tmp_path, HEAD + key + graph(PAIR) + "</graphml>", "net.graphml")
    assert read(path).labels == ("a", "b", "c")


def test_one_of_several_graphs_is_chosen_and_nested_ones_are_refused(tmp_path):
    key = KEY.format(scope="edge")
    path = made(tmp_path, f"{HEAD}{key}{graph(PAIR, 'one')}{graph(OWN, 'two')}</graphml>", "net.graphml")
    with pytest.raises(BadFile, match="holds 2 graphs, one, two: choose one with variable="):
        read(path)
    for name in ("two", "2"):
        assert edges(read(path, variable=name)) == {("b", "c"): 3.0}
    with pytest.raises(BadFile, match="holds no graph 'three'; those it holds are one, two"):
        read(path, variable="three")
    nested = graph(PAIR).replace('<node id="c"/>', f'<node id="c">{graph(OWN, "inner")}</node>')
    with pytest.raises(BadFile, match="holds graphs inside nodes or edges, which are not read: write one flat graph"):
        read(made(tmp_path, f"{HEAD}{key}{nested}</graphml>", "nested.graphml"))
    two = "graph [\n node [ id 1 ]\n]\n" * 2
    with pytest.raises(BadFile, match="no readable GML file: .*more than one graph"):
        read(made(tmp_path, two, "two.gml"))


def test_numbers_written_as_text_are_asked_for_and_read(tmp_path):
    path = made(
        tmp_path,
        'graph [\n directed 1\n node [ id 1 label "u" ]\n node [ id 2 label "v" ]\n'
        ' edge [ id 7 source 1 target 2 value 1.0 fibers "58.25" kind "x" ]\n]\n',
        "net.gml",
    )
    with pytest.raises(
        BadFile, match="several attributes of the edges could be the weight, value, fibers: choose with"
    ):
        read(path)
    net = read(path, weight="fibers")
    assert edges(net) == {("u", "v"): 58.25}
    assert net.origin["attributes_not_used"] == "value"


def test_the_number_of_an_edge_is_not_its_weight():
    numbered = networkx.DiGraph()
    numbered.add_edge("a", "b", id=7)
    numbered.add_edge("b", "a", id=8)
    assert prune(numbered, density=1.0, rng=1, compare=False).original.weights.data.tolist() == [1, 1]
    numbered["a"]["b"].update(length=1.0, fibers=2.0)
    with pytest.raises(InvalidNetwork, match="several attributes of the edges could be the weight, length, fibers"):
        prune(numbered, density=1.0)


def test_gexf_as_gephi_writes_it(tmp_path):
    content = (
        '<gexf xmlns="http://www.gexf.net/{version}" version="{short}"><graph defaultedgetype="{kind}" mode="{mode}"><nodes>'
        '<node id="0" label="a"/><node id="1" label="b"/><node id="2" label="c"/></nodes><edges>'
        '<edge id="0" source="0" target="1" weight="2.5"/><edge id="1" source="1" target="2"/></edges></graph></gexf>'
    )
    for version in ("1.1draft", "1.2draft", "1.3"):
        text = content.format(version=version, short=version[:3], kind="directed", mode="static")
        net = read(made(tmp_path, text, "net.gexf"))
        assert edges(net) == {("a", "b"): 2.5, ("b", "c"): 1.0}
    text = content.format(version="1.2draft", short="1.2", kind="undirected", mode="dynamic")
    net = read(made(tmp_path, text, "net.gexf"))
    assert net.symmetric
    assert net.origin["time"] == "a dynamic graph: the edges of all times are read"
    with pytest.raises(BadFile, match="holds '<!DOCTYPE'; GEXF in UTF-8 without document types was expected"):
        read(made(tmp_path, "<!DOCTYPE x>" + text, "evil.gexf"))


VERTICES = '*Vertices 3\n1 "a"\n2 "b b"\n3 "c"\n'


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ("*Arcs\n1 2 2.5\n2 3 -1\n", {("a", "b b"): 2.5, ("b b", "c"): -1.0}),
        ("*arcs\n1 2 2\n2 3\n", {("a", "b b"): 2.0, ("b b", "c"): 1.0}),
        ("*Arcs\n1 2\n1 2\n", {("a", "b b"): 2.0}),
        ("*Edges\n1 2 4\n", {("a", "b b"): 4.0, ("b b", "a"): 4.0}),
        ("*Edges\n1 2 4\n*Arcs\n2 3 1\n", {("a", "b b"): 4.0, ("b b", "a"): 4.0, ("b b", "c"): 1.0}),
        ("*Arcs\n2 3 1\n% a remark\n*Edges\n1 2 4\n", {("a", "b b"): 4.0, ("b b", "a"): 4.0, ("b b", "c"): 1.0}),
        ("*Matrix\n0 2 0\n0 0 0\n1 0 0\n", {("a", "b b"): 2.0, ("c", "a"): 1.0}),
    ],
)
def test_pajek_with_edges_and_arcs_in_any_order(tmp_path, lists, expected):
    net = read(made(tmp_path, f"*Network it\n{VERTICES}{lists}", "net.net"))
    assert edges(net) == expected
    assert net.labels == ("a", "b b", "c")


def test_vertices_of_pajek_may_go_without_names(tmp_path):
    assert edges(read(made(tmp_path, "*Vertices 3\n2 two\n*Arcs\n1 2\n2 3\n", "net.net"))) == {
        ("1", "two"): 1.0,
        ("two", "3"): 1.0,
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (VERTICES + "*Arcslist\n1 2 3\n", r"has a section '\*Arcslist'; those that are read are \*Vertices, \*edges"),
        (VERTICES + VERTICES, r"has 2 lists of \*Vertices, where one network was expected: split the file"),
        ("1 2\n", r"has 0 lists of \*Vertices"),
        ('*Vertices 2\n1 "a"\n2 "a"\n*Arcs\n1 2\n', "has 1 names for 2 vertices: some share a name"),
        (VERTICES + "*Arcs\n1 9\n", "has 4 names for 3 vertices: .* or edges lead to others that are not listed"),
        ("*Vertices 999999999\n*Arcs\n1 2\n", "announces 999999999 vertices, for which it is too small: it is damaged"),
    ],
)
def test_pajek_that_does_not_hold_together_is_named(tmp_path, content, message):
    with pytest.raises(BadFile, match=message):
        read(made(tmp_path, content, "net.net"))
