import gzip

import numpy as np
import pytest

import noiseprune
from noiseprune import read
from noiseprune.errors import BadFile, InvalidNetwork, InvalidOption
from noiseprune.sources.files import sources

LIST = "pre,post,weight\na,b,2\nb,c,3\nc,a,4\n"


def made(tmp_path, content, name="net.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return path


def edges(net):
    post, pre, weight = net.synapses
    names = net.labels or range(net.n_neurons)
    return {(names[j], names[i]): w for i, j, w in zip(post, pre, weight.tolist(), strict=True)}


EXPECTED = {("a", "b"): 2.0, ("b", "c"): 3.0, ("c", "a"): 4.0}


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (LIST, "net.csv"),
        (LIST.replace(",", ";"), "net.csv"),
        (LIST.replace(",", "\t"), "net.tsv"),
        (LIST.replace(",", "   "), "net.txt"),
        ("  " + LIST.replace(",", "   ").replace("\n", "  \n  "), "net.txt"),
        (LIST.replace("\n", "\r\n"), "net.csv"),
        ("\ufeff" + LIST, "net.csv"),
        ("# a comment\n\n" + LIST, "net.csv"),
        (LIST + "\n\n", "net.csv"),
        (LIST.rstrip("\n"), "net.csv"),
        (gzip.compress(LIST.encode(), mtime=0), "net.csv.gz"),
        (LIST.replace("a", ' "a" ').replace("b", "b   "), "net.csv"),
        ("a,b,2\nb,c,3\nc,a,4\n", "net.csv"),
        (LIST.replace("pre,post,weight", "Source,TARGET,Number_of Connections"), "net.csv"),
        (LIST.replace("pre,post,weight", "from,to,syn_count"), "net.csv"),
        (LIST.replace("pre,post,weight", " Origin , Target , N "), "net.csv"),
        (LIST.replace("pre,post,weight", '"pre" , "post" , "weight"'), "net.csv"),
        ('"pre" "post" "weight"\n"1" "a" "b" 2\n"2" "b" "c" 3\n"3" "c" "a" 4\n', "net.txt"),
        ("sep=;\n" + LIST.replace(",", ";"), "net.csv"),
        (LIST.replace("\n", "\r"), "net.csv"),
        ("a,b,2\nb,c,3\nc,a,3\nc,a,1\n", "net.csv"),
    ],
)
def test_an_edge_list_is_read_however_it_is_written(tmp_path, content, name):
    net = read(made(tmp_path, content, name))
    assert net.labels == ("a", "b", "c")
    assert edges(net) == EXPECTED
    assert np.allclose(net.leak, 1.05 * net.total_input)


def test_names_with_separators_need_quotes_only(tmp_path):
    net = read(made(tmp_path, 'pre,post,weight\n"a, left",b,2\n'))
    assert net.labels == ("a, left", "b")


def test_names_are_kept_to_the_letter(tmp_path):
    net = read(made(tmp_path, 'pre post weight\n"neuron one" #b 1\n#b "neuron one" 2\n', "net.txt"))
    assert net.labels == ("neuron one", "#b")
    assert net.n_synapses == 2


def test_signs_that_a_file_has_already_are_not_turned_round(tmp_path):
    net = read(made(tmp_path, "pre,post,weight,nt_type\na,b,-1,GABA\nb,a,1,ACh\n"), inhibitory="GABA")
    assert edges(net) == {("a", "b"): -1.0, ("b", "a"): 1.0}


def test_ids_are_exact_in_order_of_first_appearance(tmp_path):
    big = 720575940621039145
    net = read(made(tmp_path, f"pre,post,weight\n7,{big},1\n{big + 1},7,2\n"))
    assert net.labels == (7, big, big + 1)
    assert read(made(tmp_path, "pre,post,weight\n007,8,1\n8,007,1\n")).labels == ("007", "8")
    assert read(made(tmp_path, "pre,post,weight\n1,x,1\nx,1,1\n")).labels == ("1", "x")


def test_duplicates_are_summed_and_self_connections_dropped_and_both_counted(tmp_path):
    net = read(made(tmp_path, "pre,post,weight\na,b,1\na,b,2\nb,b,9\nb,a,1\na,b,-1\nb,a,-1\n"))
    assert edges(net) == {("a", "b"): 2.0}
    assert net.origin["duplicate_rows_summed"] == 3
    assert net.origin["self_connections_dropped"] == 1
    assert net.origin["zero_or_cancelled_weights_dropped"] == 1
    assert net.origin["rows"] == 6


def test_rows_without_a_weight_column_count_one_each(tmp_path):
    net = read(made(tmp_path, "source,target\na,b\na,b\nb,a\n"))
    assert edges(net) == {("a", "b"): 2.0, ("b", "a"): 1.0}
    assert "each row counts 1" in net.origin["weight"]


def test_columns_can_be_named(tmp_path):
    path = made(tmp_path, "x,y,z\na,b,2\nb,c,3\nc,a,4\n")
    assert edges(read(path, pre="x", post="y", weight="z")) == EXPECTED
    assert edges(read(path, pre="X", post=" y", weight="z")) == EXPECTED


MESSY = """Origin,Target,Type,Number of Connections,Neurotransmitter
a,b,Send,2,GABA
b,c,Send,3,Acetylcholine
c,a,Send,1,Serotonin_GABA
a,b,GapJunction,4,Generic_GJ
b,a,GapJunction,6,Generic_GJ
b,c,GapJunction,5,Generic_GJ
c,c,GapJunction,1,Generic_GJ
"""


def test_where_keeps_rows_and_inhibitory_signs_them(tmp_path):
    path = made(tmp_path, MESSY)
    net = read(path, where="Type=Send", inhibitory="gaba")
    assert edges(net) == {("a", "b"): -2.0, ("b", "c"): 3.0, ("c", "a"): -1.0}
    assert net.origin["transmitters"] == {"GABA": "-", "Acetylcholine": "+", "Serotonin_GABA": "-"}
    both = read(path, where=["Type=Send", "Origin=a,b"])
    assert edges(both) == {("a", "b"): 2.0, ("b", "c"): 3.0}
    assert edges(read(path, where={"Type": "Send", "Origin": ["a", "b"]})) == edges(both)


def test_conditions_are_never_evaluated(tmp_path):
    path = made(tmp_path, MESSY)
    with pytest.raises(BadFile, match=r"no row has Type = __import__\('os'\)"):
        read(path, where="Type=__import__('os')")


def test_junctions_join_both_neurons_alike(tmp_path):
    net = read(made(tmp_path, MESSY), inhibitory="GABA", electrical="Type=GapJunction")
    assert edges(net) == {
        ("a", "b"): -2 + 5,  # chemical and electrical at one place; unequal counts 4 and 6 are 5
        ("b", "a"): 5,
        ("b", "c"): 3 + 5,  # listed once
        ("c", "b"): 5,
        ("c", "a"): -1,
    }
    counts = net.origin
    assert counts["junctions"] == 2
    assert counts["junctions_listed_once_completed"] == 1
    assert counts["junction_rows_that_disagree_averaged"] == 2
    assert counts["junction_self_connections_dropped"] == 1
    assert counts["chemical_and_electrical_summed"] == 2


def test_leak_by_rate_and_gain(tmp_path):
    net = read(made(tmp_path, LIST), base_leak=2.0, gain=0.5)
    assert np.all(net.leak == 2)
    assert np.max(np.linalg.eigvals(net.weights.toarray()).real) == pytest.approx(1.0)
    assert net.origin["base_leak"]["gain"] == 0.5


def test_neurons_without_input_get_the_median_leak(tmp_path):
    net = read(made(tmp_path, "pre,post,weight\na,b,2\na,c,6\na,d,100\nb,c,0.5\n"))
    assert net.leak[0] == pytest.approx(1.05 * 6.5)
    assert net.origin["base_leak"]["neurons_without_input"] == 1


BAD = [
    ("", {}, "is empty"),
    ("\n\n", {}, "is empty"),
    ("abc\n", {}, "neither a square matrix .1 rows, 1 columns. nor an edge list"),
    ("# only\n# comments\n", {}, "empty but for comments"),
    (b"\xef\xbb\xbf\n", {}, "is empty"),
    ("pre,post,weight,weight\na,b,1,2\n", {"weight": "weight"}, "2 columns are called 'weight'"),
    ("x,a,b\nb,0,1\na,1,0\n", {}, "number 1 is 'b' beside and 'a' above"),
    ("pre,post,weight\n", {}, "a header and no rows"),
    ("pre,post,weight\na,b,1\na,b\n", {}, "line 3 has 2 columns where line 1 has 3"),
    ("pre,post,weight\na,b,1,9\na,b,1\n", {}, "line 2 has 4 columns where line 1 has 3"),
    ("# note\npre,post,weight\na,b,1\na,b\n", {}, "line 4 has 2 columns where line 2 has 3"),
    ("pre,post,weight\na,b,1\na,c,nan\n", {}, "line 3, column 'weight' holds 'nan', which is no finite"),
    ("pre,post,weight\na,b,1\na,c,\n", {}, "line 3, column 'weight' is empty"),
    ("pre,post,weight\na,b,inf\n", {}, "line 2, column 'weight' holds 'inf'"),
    ("pre,post,weight\na,b,many\n", {}, "line 2, column 'weight' holds 'many'"),
    ("pre,post,weight\na,,1\nb,a,1\n", {}, "line 2 has no post neuron"),
    (
        "pre,post,source,weight\na,b,c,1\n",
        {},
        "two columns could be the pre column, 'pre' and 'source': choose with pre=",
    ),
    ("pre,target_cell,weight\na,b,1\n", {}, "no column for post among 'pre', 'target_cell', 'weight'.*post="),
    (LIST, {"pre": "sender"}, "no column 'sender'; the columns are 'pre', 'post', 'weight'"),
    (LIST, {"where": "Type=Send"}, "no column 'Type'"),
    (LIST, {"where": "pre=zz"}, "no row has pre = zz; its values are 'a', 'b', 'c'"),
    (LIST, {"inhibitory": "GABA"}, "needs a column of transmitters"),
    (MESSY, {"inhibitory": "Glycine"}, "no transmitter 'glycine'; those met are 'GABA'"),
    (MESSY, {"electrical": "Type=Gap"}, "no row is symmetric"),
    ("x,y,z,u\na,b,1,2\n", {}, "neither a square matrix .2 rows, 4 columns. nor an edge list"),
    (b"\xff\xfea\x00", {}, "UTF-16"),
    (b"pre,post,weight\n\xff,b,1\n", {}, "UTF-8"),
    ('pre,post,weight\n"a,b,1\na,b,1\n', {}, "quotes|columns where"),
]


@pytest.mark.parametrize(("content", "options", "message"), BAD, ids=range(len(BAD)))
def test_a_bad_table_is_refused_with_path_line_and_remedy(tmp_path, content, options, message):
    path = made(tmp_path, content)
    with pytest.raises(BadFile, match=message) as caught:
        read(path, **options)
    assert str(path) in str(caught.value)


def test_bad_conditions_and_leaks_are_refused(tmp_path):
    path = made(tmp_path, LIST)
    for options, message in (
        ({"where": "Type"}, "COLUMN=VALUE"),
        ({"base_leak": "strong"}, 'base_leak must be "dominant" or a positive rate'),
        ({"base_leak": 1.0, "gain": 1.5}, "gain must lie between 0 and 1"),
        ({"margin": -1.0}, "margin must be zero or positive"),
        ({"orientation": "pre-post"}, "an edge list, which says pre and post by its columns: leave out orientation="),
    ):
        with pytest.raises(InvalidOption, match=message):
            read(path, **options)
    acyclic = made(tmp_path, "pre,post,weight\na,b,1\nb,c,1\n", "acyclic.csv")
    with pytest.raises(InvalidNetwork, match="not positive, so no scaling"):
        read(acyclic, base_leak=1.0)


def test_a_file_that_is_not_there_or_not_a_file(tmp_path):
    with pytest.raises(BadFile, match="no such file"):
        read(tmp_path / "nothing.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(BadFile, match="is a folder"):
        read(tmp_path / "folder.csv")
    with pytest.raises(BadFile, match=r"unknown suffix '.ods'; known are .csv"):
        read(tmp_path / "net.ods")
    with pytest.raises(BadFile, match="cannot be read"):
        read(made(tmp_path, gzip.compress(LIST.encode(), mtime=0)[:-10], "cut.csv.gz"))


def test_text_beyond_memory_is_refused_while_it_is_decompressed(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "available_bytes", lambda: 6000)
    monkeypatch.setattr(sources, "CHUNK", 100)
    path = made(tmp_path, gzip.compress(b"pre,post,weight\n" + b"a,b,1\n" * 10_000), "bomb.csv.gz")
    with pytest.raises(BadFile, match="when decompressed, which does not fit"):
        read(path)


def test_a_table_without_inputs_needs_a_rate(tmp_path):
    path = made(tmp_path, "pre,post,weight\na,a,1\n")
    with pytest.raises(InvalidNetwork, match=r"no neuron has an input.*base_leak=1.0"):
        read(path)
    assert noiseprune.with_base_leak([[0.0, 1.0], [0, 0]]).leak.tolist() == [1.05, 1.05]
