"""Text as people write it, that used to be read as another network, or not at all."""

import gzip

import numpy as np
import polars as pl
import pytest

from noiseprune import read
from noiseprune.errors import BadFile, InvalidOption
from tests.files.test_tables import edges, made

MANY = "".join(f"{k},{k + 1},1\n" for k in range(1, 1000))


# --- ids -----------------------------------------------------------------------------------------------------------


def test_ids_that_a_program_wrote_as_floats_are_the_integers_that_they_were(tmp_path):
    net = read(made(tmp_path, "pre,post,weight\n1,2.0,5\n2,1.0,3\n"))
    assert edges(net) == {(1, 2): 5.0, (2, 1): 3.0}
    assert read(made(tmp_path, f"pre,post,weight\n{MANY}7,9.0,1\n")).labels == tuple(range(1, 1001))


def test_names_that_look_like_floats_stay_names_among_names(tmp_path):
    net = read(made(tmp_path, "pre,post,weight\n1E2,L2,5\nL2,1E2,3\n"))
    assert net.labels == ("1E2", "L2")
    assert read(made(tmp_path, "pre,post,weight\n1.0,1.1,5\n1.1,1.0,3\n")).labels == ("1.0", "1.1")


@pytest.mark.parametrize("big", ["7.20575940621039e+17", "720575940621039145.0", "7E17"])
def test_ids_that_lost_digits_in_text_are_refused(tmp_path, big):
    with pytest.raises(BadFile, match="column 'post' holds floating-point numbers, .* save it as integers or strings"):
        read(made(tmp_path, f"pre,post,weight\n1,{big},5\n2,{big},3\n"))


@pytest.mark.parametrize("padded", ['"007"', "-007", '"-007"', "+7"])
@pytest.mark.parametrize("row", ["7,{},1\n", "{},7,1\n"])
def test_padded_ids_stay_other_ids_quoted_or_negative(tmp_path, padded, row):
    net = read(made(tmp_path, f"pre,post,weight\n{MANY}{row.format(padded)}"))
    assert padded.strip('"') in net.labels
    assert "7" in net.labels


@pytest.mark.parametrize("rest", ["", "a,b,1,,\n# a remark\n"], ids=["fast", "careful"])
def test_quotes_that_belong_to_a_name_stay(tmp_path, rest):
    header = "pre,post,weight,x,y\n" if rest else "pre,post,weight\n"
    end = ",,\n" if rest else "\n"
    net = read(made(tmp_path, f'{header}"a""",b,1{end}"""b""",b,2{end} "c" ,b,3{end}{rest}'))
    assert set(net.labels) >= {'a"', '"b"', "c", "b"}


def test_neuprint_names_without_id_are_known(tmp_path):
    assert edges(read(made(tmp_path, "body_pre,body_post,weight\n1,2,3\n"))) == {(1, 2): 3.0}


def test_ids_of_an_enum_are_names(tmp_path):
    kind = pl.Enum(["a", "b"])
    frame = pl.DataFrame({"pre": ["a", "b"], "post": ["b", "a"], "weight": [1.0, 2.0]})
    frame.with_columns(pl.col("pre", "post").cast(kind)).write_parquet(tmp_path / "net.parquet")
    assert edges(read(tmp_path / "net.parquet")) == {("a", "b"): 1.0, ("b", "a"): 2.0}


# --- comments and headers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        "#post,pre,weight\nb,a,2\n",
        "# post pre weight\nb a 2\n",
        "# made by me from a source\n# post,pre,weight\nb,a,2\n",
        "#\n#post,pre,weight\r\nb,a,2\r\n",
        "# post,pre,weight\n# counts, of synapses\nb,a,2\n",
        "#made by me\n#and you\npost,pre,weight\nb,a,2\n",
    ],
)
def test_a_header_behind_a_comment_mark_is_a_header(tmp_path, content):
    assert edges(read(made(tmp_path, content))) == {("a", "b"): 2.0}


def test_prose_about_pre_and_post_is_no_header(tmp_path):
    net = read(made(tmp_path, "# from there to here\na,b,2\nb,c,3\nc,a,4\nc,b,1\n"))
    assert net.labels == ("a", "b", "c")


def test_names_that_begin_with_a_comment_mark_are_data(tmp_path):
    net = read(made(tmp_path, "#1,#2,5\n#2,#1,3\n#2,#3,1\n#3,#2,1\n"))
    assert net.labels == ("#1", "#2", "#3")


@pytest.mark.parametrize("comment", ["# redone by, Anna, 3\n", "#\n", "  # by, Anna, 3\n", "# redone by, Anna, 3"])
def test_a_comment_with_commas_among_clean_rows_is_no_synapse(tmp_path, comment):
    net = read(made(tmp_path, f"pre,post,weight\na,b,2\n{comment}" + ("b,a,1\n" if comment.endswith("\n") else "")))
    assert net.labels == ("a", "b")


# --- numbers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", ["a;b;0,5\nb;a;1,5\nb;c;2,0\nc;a;3,5\n", "a b 0,5\nb a 1,5\nb c 2,0\nc a 3,5\n"])
def test_decimal_commas_need_no_header(tmp_path, rows):
    net = read(made(tmp_path, rows), decimal_comma=True)
    assert edges(net) == {("a", "b"): 0.5, ("b", "a"): 1.5, ("b", "c"): 2.0, ("c", "a"): 3.5}


@pytest.mark.parametrize("rows", ["0;0,5\n0,5;0\n", "0 0,5\n0,5 0\n", "a,1;b\n0;0,5\n0,5;0\n"])
def test_decimal_commas_in_matrices_leave_names_alone(tmp_path, rows):
    net = read(made(tmp_path, rows), decimal_comma=True)
    assert net.weights[0, 1] == 0.5
    assert net.labels == (("a,1", "b") if "a" in rows else None)


def test_a_dot_beside_decimal_commas_is_refused(tmp_path):
    with pytest.raises(BadFile, match=r"line 2, column 'weight' holds '1\.234'.* a dot separates thousands"):
        read(made(tmp_path, "pre;post;weight\na;b;1.234\nb;a;0,5\n"), decimal_comma=True)
    with pytest.raises(BadFile, match=r"line 2, column 1 holds '1\.234'"):
        read(made(tmp_path, "0;0,5\n1.234;0\n"), decimal_comma=True)


def test_thousands_are_thought_of(tmp_path):
    with pytest.raises(BadFile, match="give decimal_comma=True where 0,5 is a half, or take commas out that separate"):
        read(made(tmp_path, "pre;post;weight\na;b;1,234\n"))


def test_a_matrix_under_a_counted_header_is_a_matrix(tmp_path):
    for n in (3, 5):
        matrix = np.ones((n, n)) - np.eye(n)
        for first in (0, 1):
            header = ",".join(map(str, range(first, n + first)))
            rows = "\n".join(",".join(map(str, row)) for row in matrix)
            net = read(made(tmp_path, f"{header}\n{rows}\n"))
            assert np.array_equal(net.weights.toarray(), matrix)
            assert net.labels == tuple(range(first, n + first))


def test_four_synapses_that_begin_with_0_1_2_are_no_matrix(tmp_path):
    net = read(made(tmp_path, "0,1,2\n1,2,3\n2,0,1\n0,2,5\n"))
    assert edges(net) == {(0, 1): 2.0, (1, 2): 3.0, (2, 0): 1.0, (0, 2): 5.0}


@pytest.mark.parametrize("name", ["²", "--5", "-0", "9" * 19])
def test_odd_names_of_a_matrix_stay_names(tmp_path, name):
    assert read(made(tmp_path, f",{name},3\n{name},0,2\n3,2,0\n")).labels == (name, "3")


def test_pairs_without_header_that_need_care_are_read(tmp_path):
    assert read(made(tmp_path, "1 2\n2 3\n3 1\n1 3\n", "net.txt")).n_synapses == 4


# --- options -------------------------------------------------------------------------------------------------------


def test_a_threshold_says_nothing_about_the_header(tmp_path):
    net = read(made(tmp_path, "a,b,0\nb,c,3\nc,a,4\nb,a,7\n"), threshold=4)
    assert edges(net) == {("c", "a"): 4.0, ("b", "a"): 7.0}


@pytest.mark.parametrize("threshold", [0, -1, float("nan"), float("inf"), "5"])
def test_a_threshold_that_means_nothing_is_refused(tmp_path, threshold):
    with pytest.raises(InvalidOption, match="threshold must be a finite number above 0"):
        read(made(tmp_path, "pre,post,weight\na,b,2\n"), threshold=threshold)


def test_connections_below_threshold_are_counted_once(tmp_path):
    net = read(made(tmp_path, "pre,post,weight\na,b,2\nb,a,9\nb,c,7\nb,c,-7\n"), threshold=5)
    assert net.origin["connections_below_threshold_dropped"] == 1
    assert net.origin["zero_or_cancelled_weights_dropped"] == 1


def test_signs_are_refused_where_they_are_doubled_or_no_signs(tmp_path):
    path = made(tmp_path, "pre,post,weight,nt_type\na,b,2,ACH\n")
    for signs, message in (
        ("ACH=1,ach=-1", "signs has 'ach' twice"),
        (pl.DataFrame({"t": ["ACH"], "sign": [1]}), "got a DataFrame"),
        (5, "got a int"),
    ):
        with pytest.raises(InvalidOption, match=message):
            read(path, signs=signs)
    (tmp_path / "a=1.csv").write_text("transmitter,sign\nACH,-1\n", encoding="utf-8")
    assert edges(read(path, signs=tmp_path / "a=1.csv")) == {("a", "b"): -2.0}


def test_conditions_on_columns_of_other_types(tmp_path):
    frame = pl.DataFrame({"pre": [1, 2], "post": [2, 1], "layer": [1.0, 2.5], "area": [["V1"], ["V2"]]})
    frame.write_parquet(tmp_path / "net.parquet")
    assert edges(read(tmp_path / "net.parquet", where="layer=1")) == {(1, 2): 1.0}
    assert edges(read(tmp_path / "net.parquet", where={"layer": 2.5})) == {(2, 1): 1.0}
    with pytest.raises(BadFile, match="no row has layer = V1; its values are '1.0', '2.5'"):
        read(tmp_path / "net.parquet", where="layer=V1")
    with pytest.raises(BadFile, match=r"column 'area' holds List\(String\), where text or numbers were expected"):
        read(tmp_path / "net.parquet", where="area=V1")
    with pytest.raises(InvalidOption, match="a condition is written COLUMN=VALUE"):
        read(tmp_path / "net.parquet", where=5)


def test_an_edge_list_is_no_operator(tmp_path):
    with pytest.raises(InvalidOption, match=r"holds weights, with nothing on the diagonal.*leave content out"):
        read(made(tmp_path, "pre,post,weight\na,b,2\n"), content="operator")
    np.save(tmp_path / "net.npy", np.array([[0, 1.0], [1.0, 0]]))
    with pytest.raises(ValueError, match="diagonal"):
        read(tmp_path / "net.npy", content="operator")


def test_options_that_would_do_nothing_are_refused(tmp_path):
    np.save(tmp_path / "net.npy", np.array([[0, 1.0], [1.0, 0]]))
    for options in ({"variable": "W"}, {"decimal_comma": True}):
        with pytest.raises(InvalidOption, match="leave out "):
            read(tmp_path / "net.npy", **options)
    with pytest.raises(InvalidOption, match="leave out variable="):
        read(made(tmp_path, "0,1\n1,0\n"), variable="W")


def test_a_name_in_capitals_is_read_back(tmp_path):
    from noiseprune import gallery, write

    write(gallery.ring(5), tmp_path / "A.CSV.GZ")
    assert gzip.decompress((tmp_path / "A.CSV.GZ").read_bytes()).startswith(b"pre,post,weight")
    assert read(tmp_path / "A.CSV.GZ").n_neurons == 5
