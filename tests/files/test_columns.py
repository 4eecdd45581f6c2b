"""Which column is the weight, and whether the first row is data: said, asked, or certain, and never guessed."""

import itertools

import hypothesis.strategies as st
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings

from noiseprune import prune, read
from noiseprune.errors import BadFile, InvalidNetwork, InvalidOption
from noiseprune.network.column_names import ALIASES, WEIGHTS, column_role, plain
from tests.files.test_tables import edges, made
from tests.networks import data_folder

ROWS = [("a", "b", 2.5), ("b", "c", 3.0), ("c", "a", 4.25), ("a", "c", 7.0)]
EXPECTED = {row[:2]: row[2] for row in ROWS}
NAMES = st.text("abcdefghijklmnopqrstuvwABC_ 0123456789", min_size=1, max_size=12)


def table(names, rows=ROWS, separator=","):
    return "\n".join(separator.join(map(str, row)) for row in [names, *rows]) + "\n"


@pytest.mark.parametrize(
    "name", [*ALIASES["weight"], *WEIGHTS, "weightRelative", "Num_Synapses", "# synapses", "weightHP"]
)
def test_a_weight_column_of_any_known_name_is_read(tmp_path, name):
    assert edges(read(made(tmp_path, table(["pre", "post", name])))) == EXPECTED


@settings(max_examples=60, deadline=None)
@given(name=NAMES, order=st.permutations(range(4)))
def test_the_only_column_of_numbers_is_the_weight_whatever_its_name_and_place(tmp_path_factory, name, order):
    if column_role(name) in ("pre", "post", "transmitter") or plain(name) in ("kind", "id", "ids", "index", "idx"):
        return
    if not name.strip() or plain(name).endswith(("id", "ids")):
        return
    names = ["pre", "post", name, "kind"]
    rows = [(*row, "x") for row in ROWS]
    content = table([names[k] for k in order], [[row[k] for k in order] for row in rows])
    net = read(made(tmp_path_factory.mktemp("net"), content))
    assert edges(net) == EXPECTED
    assert repr(name.strip()) in net.origin["weight"]
    assert net.origin["columns_not_used"] == ["kind"]


def test_several_columns_of_numbers_are_listed_and_none_is_guessed(tmp_path):
    path = made(tmp_path, "pre,post,depth,area,kind\na,b,1,2.5,x\nb,a,3,4,x\n")
    with pytest.raises(
        BadFile, match="two columns could be the weight column, 'depth' and 'area': choose with weight="
    ):
        read(path)
    assert edges(read(path, weight="area")) == {("a", "b"): 2.5, ("b", "a"): 4.0}


def test_numbers_of_rows_and_places_are_no_weights(tmp_path):
    net = read(made(tmp_path, ",pre,post,synapse_id,pre_x,pre_y\n0,a,b,17,1.5,2\n1,b,a,18,3.5,1\n"))
    assert edges(net) == {("a", "b"): 1.0, ("b", "a"): 1.0}
    assert net.origin["columns_not_used"] == ["", "synapse_id", "pre_x", "pre_y"]
    assert "each row counts 1" in net.origin["weight"]


def test_a_known_weight_among_numbers_is_taken_and_the_others_are_named(tmp_path):
    net = read(made(tmp_path, "pre,post,layer,count,value\na,b,4,2,7\nb,a,5,3,8\n"))
    assert edges(net) == {("a", "b"): 2.0, ("b", "a"): 3.0}
    assert net.origin["columns_not_used"] == ["layer", "value"]


def test_a_column_with_words_further_down_holds_no_weights(tmp_path):
    rows = "".join(f"{k},{k + 1},4\n" for k in range(1000))
    net = read(made(tmp_path, f"pre,post,layer\n{rows}1000,0,4b\n"))
    assert set(net.synapses.weight.tolist()) == {1.0}


@pytest.mark.parametrize("order", list(itertools.permutations(["count", "signed"])))
def test_signs_beside_sizes_are_taken(tmp_path, order):
    values = {"count": [2, 3, 5], "signed": [2, -3, 5]}
    frame = pl.DataFrame({"pre": ["a", "b", "c"], "post": ["b", "c", "a"], **{name: values[name] for name in order}})
    frame.write_csv(tmp_path / "net.csv")
    frame.write_parquet(tmp_path / "net.parquet")
    for name in ("net.csv", "net.parquet"):
        net = read(tmp_path / name)
        assert edges(net) == {("a", "b"): 2.0, ("b", "c"): -3.0, ("c", "a"): 5.0}
        assert "has the sizes of 'count' and signs besides" in net.origin["weight"]


def test_a_total_that_is_repeated_for_each_neuropil_counts_once(tmp_path):
    random = np.random.default_rng(3)
    rows = []
    for pre, post in itertools.permutations("abcd", 2):
        parts = random.integers(1, 9, random.integers(1, 4))
        rows += [(pre, post, f"roi{k}", part, parts.sum()) for k, part in enumerate(parts)]
    content = table(["pre", "post", "roi", "ROIweight", "weight"], rows)
    net = read(made(tmp_path, content))
    total = {row[:2]: row[4] for row in rows}
    assert edges(net) == total
    assert "each pair's total counts once" in net.origin["weight"]
    one = read(made(tmp_path, content), where="roi=roi0")
    assert edges(one) == {row[:2]: row[3] for row in rows if row[2] == "roi0"}


def test_connections_listed_from_both_sides_are_pointed_out(tmp_path):
    chemical = [("a", "b", 3), ("b", "c", 4), ("c", "a", 5), ("a", "d", 2), ("d", "b", 6)]
    rows = [(a, b, "S", n) for a, b, n in chemical] + [(b, a, "R", n) for a, b, n in chemical]
    path = made(
        tmp_path, table(["Neuron 1", "Neuron 2", "Type", "Nbr"], [*rows, ("a", "c", "EJ", 1), ("c", "a", "EJ", 1)])
    )
    assert "of Type = S and of Type = R list the same connections" in read(path).origin["caution"]
    assert "where='Type=S,EJ' keeps one" in read(path).origin["caution"]
    net = read(path, where="Type=S")
    assert edges(net) == {(a, b): n for a, b, n in chemical}
    assert "caution" not in net.origin


# --- no header


HEADERLESS = [
    "U,V,chem\nV,X,chem\nX,U,el\nU,X,chem\n",
    "U V\nV X\nX U\nU X\n",
    "U,V,{}\nV,X,{}\nX,U,{}\nU,X,{}\n",
    "U V {'kind': 'x'}\nV X {}\nX U {}\nU X {}\n",
]


@pytest.mark.parametrize("content", HEADERLESS)
def test_no_row_of_names_is_lost_to_a_header(tmp_path, content):
    if "{" in content:
        pytest.importorskip("networkx")
    path = made(tmp_path, content)
    for options in ({}, {"no_header": True}):
        assert set(edges(read(path, **options))) == {("U", "V"), ("V", "X"), ("X", "U"), ("U", "X")}
    with pytest.raises(BadFile, match="give no_header=True|no column 'U'"):
        read(path, pre="U", post="V")


def test_a_first_row_that_could_be_either_is_asked_about(tmp_path):
    path = made(tmp_path, "p,q,w,r\na,b,1,2\nb,c,2,1\n")
    with pytest.raises(
        BadFile, match="name the columns with pre= and post=, or give no_header=True where the first row"
    ):
        read(path)


@pytest.mark.parametrize("separator", [",", "\t", ";", " "])
def test_columns_without_a_header_go_by_their_numbers(tmp_path, separator):
    rows = [(9, w, post, pre) for pre, post, w in ROWS]
    path = made(tmp_path, "\n".join(separator.join(map(str, row)) for row in rows) + "\n")
    assert edges(read(path, no_header=True, pre="4", post="3", weight="2")) == EXPECTED
    with pytest.raises(BadFile, match="no column '7'; the columns are '1', '2', '3', '4'"):
        read(path, no_header=True, pre="7")
    with pytest.raises(BadFile, match="'1' and '2': choose with weight="):
        read(path, no_header=True, pre="4", post="3")


def test_edge_lists_of_networkx_are_read(tmp_path):
    networkx = pytest.importorskip("networkx")
    graph = networkx.DiGraph()
    graph.add_weighted_edges_from(ROWS)
    for suffix, delimiter in ((".edgelist", " "), (".edges", ","), (".dat", "\t"), (".txt", " ")):
        networkx.write_edgelist(graph, tmp_path / f"net{suffix}", delimiter=delimiter)
        assert edges(read(tmp_path / f"net{suffix}")) == EXPECTED
    networkx.write_weighted_edgelist(graph, tmp_path / "weighted.edgelist")
    assert edges(read(tmp_path / "weighted.edgelist")) == EXPECTED
    with pytest.raises(BadFile, match="line 2 is no line of a NetworkX edge list"):
        read(made(tmp_path, "a b {'weight': 2}\nb a {'weight': open('x')}\n", "bad.edgelist"))


@pytest.mark.parametrize(
    "above",
    [
        "#a survey (of sites), table two\n",
        "% asym weighted\n% 4 3 3\n",
        "%asym\n",
        "Connectome of the worm\n",
        "\n#x\n\n",
    ],
)
def test_comments_and_titles_are_no_rows(tmp_path, above):
    net = read(made(tmp_path, f"{above}pre,post,weight\na,b,2\n#c,d\n%e\nb,a,3\n"))
    assert edges(net) == {("a", "b"): 2.0, ("b", "a"): 3.0}
    numbers = read(made(tmp_path, f"{above}1,2,5\n1,3,2\n2,3,7\n3,1,4\n"))
    assert edges(numbers) == {(1, 2): 5.0, (1, 3): 2.0, (2, 3): 7.0, (3, 1): 4.0}
    assert net.origin.get("title") == (above.strip() if above.startswith("Conn") else None)


def test_a_header_of_two_rows_is_read_from_the_row_that_names_the_ends(tmp_path):
    net = read(made(tmp_path, "neurons,,number\npre,post,count\na,b,2\nb,a,3\n"))
    assert edges(net) == {("a", "b"): 2.0, ("b", "a"): 3.0}
    with pytest.raises(BadFile, match="line 2, column 'count' holds 'n'"):
        read(made(tmp_path, "pre,post,count\nid,id,n\na,b,2\nb,a,3\n"))


# --- each pair once


def test_a_list_of_pairs_is_read_for_both_directions(tmp_path):
    pairs = "0 1 5.0\n0 2 3.0\n0 3 1.0\n1 2 4.0\n1 3 2.0\n2 3 6.0\n"
    path = made(tmp_path, pairs, "net.txt")
    assert "undirected=True reads each row for both" in read(path).origin["caution"]
    net = read(path, undirected=True)
    assert (net.symmetric, net.n_synapses, net.weights.sum()) == (True, 12, 42.0)
    twice = read(made(tmp_path, pairs + "1 0 5.0\n", "twice.txt"), undirected=True)
    assert (twice.weights != net.weights).nnz == 0
    assert "1 pairs listed both ways" in twice.origin["undirected"]
    with pytest.raises(BadFile, match="0 to 1 sums to 5 and 1 to 0 to 6 .1 such pairs.*leave out undirected="):
        read(made(tmp_path, pairs + "1 0 6.0\n", "other.txt"), undirected=True)
    with pytest.raises(InvalidOption, match="leave out electrical="):
        read(made(tmp_path, "pre,post,weight,t\na,b,1,x\n"), undirected=True, electrical="t=x")
    with pytest.raises(InvalidOption, match="leave out undirected="):
        np.save(tmp_path / "net.npy", np.ones((2, 2)) - np.eye(2))
        read(tmp_path / "net.npy", undirected=True)


# --- frames


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("name", ["synapses", "depth"])
def test_frames_take_the_same_column_as_files_and_give_it_back(library, name):
    module = pytest.importorskip(library)
    columns = {
        "kind": list("xxxx"),
        name: [w for *_, w in ROWS],
        "post": [b for _, b, _ in ROWS],
        "pre": [a for a, *_ in ROWS],
    }
    result = prune(module.DataFrame(columns), density=1.0)
    assert edges(result.original) == EXPECTED
    assert list(result.in_kind.columns) == list(columns)
    assert list(result.in_kind[name]) == pytest.approx(columns[name])
    both = module.DataFrame({**columns, "area": [1, 2, 3, 4], name: [4, 3, 2, 1], "lag": [1, 1, 2, 2]})
    if name == "depth":
        with pytest.raises(InvalidNetwork, match="'depth', 'area' and 'lag': rename, mend or drop"):
            prune(both, density=1.0)


def test_a_grouped_series_is_an_edge_list_and_comes_back():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(ROWS, columns=["pre", "post", "weight"])
    series = frame.groupby(["pre", "post"])["weight"].sum()
    result = prune(series, density=1.0)
    assert edges(result.original) == EXPECTED
    assert result.in_kind.to_dict() == pytest.approx(series.to_dict())
    with pytest.raises(InvalidNetwork, match="a Series is an edge list where its index has levels called pre and post"):
        prune(frame["weight"], density=1.0)


def test_a_result_is_no_matrix():
    from noiseprune import gallery

    with pytest.raises(InvalidNetwork, match="got a Pruned: give the network that it holds, result.network"):
        prune(prune(gallery.ring(9), density=1.0), density=0.5)


# --- real files


@pytest.mark.parametrize(
    ("name", "options", "right"),
    [
        ("aconnectome_white_1986_whole.csv", {}, (309, 2812, 8900)),
        ("aconnectome_white_1986_whole.csv", {"where": "type=chemical"}, (303, 2386, 7943)),
        ("cx_edge_TB2RN.csv", {}, (184, 195, 77.713318)),
        ("enigma_strucMatrix_ctx.csv", {}, (68, 1394, 10322.755337)),
        ("enigma_funcMatrix_ctx.csv", {}, (68, 4538, 1421.480187)),
        ("pht00_endg_mort.csv", {}, (93, 654, 654)),
        ("net_celegans_neural.dat", {}, (297, 2345, 2359)),
        ("NeuronConnect.xls", {"where": "Type=S,Sp"}, (279, 2194, 6394)),
        ("mam_Thom_Distances.csv", {}, (32, 992, 24526.964)),
    ],
)
def test_real_files_have_their_right_readings(name, options, right):
    path = data_folder() / "files" / name
    for suffix, library in ((".xls", "fastexcel"), ("mort.csv", "networkx")):
        if name.endswith(suffix):
            pytest.importorskip(library)
    net = read(path, **options)
    assert (net.n_neurons, net.n_synapses) == right[:2]
    assert net.synapses.weight.sum() == pytest.approx(right[2], abs=1e-6)
    assert net.symmetric == name.startswith(("enigma", "mam_Thom"))


def test_real_files_that_leave_a_question_ask_it():
    folder = data_folder() / "files"
    with pytest.raises(BadFile, match="could be the weight column, .*'FLN'.*choose with weight="):
        read(folder / "mam_SLN_Data.csv")
    pytest.importorskip("fastexcel")
    caution = read(folder / "NeuronConnect.xls").origin["caution"]
    assert "Type = Sp, S and of Type = Rp, R" in caution
