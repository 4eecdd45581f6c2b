"""Spreadsheets, read as the text tables that they hold."""

import numpy as np
import polars as pl
import pytest

from noiseprune import read
from noiseprune.errors import BadFile, InvalidOption
from tests.files.test_tables import EXPECTED, edges

pytest.importorskip("fastexcel")
openpyxl = pytest.importorskip("openpyxl")


def book(path, **sheets):
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    made.save(path)
    return path


LIST = [["pre", "post", "synapses"], ["a", "b", 2], ["b", "c", 3.0], ["c", "a", 4]]


@pytest.mark.parametrize("above", [[], [["Table 1: the worm"]], [[], ["made by me", None, "in 2020"]]])
def test_a_sheet_is_an_edge_list(tmp_path, above):
    net = read(book(tmp_path / "net.xlsx", one=[*above, *LIST]))
    assert edges(net) == EXPECTED
    assert net.origin["sheet"] == "one"


def test_ids_of_64_bits_and_fractions_keep_what_the_sheet_holds(tmp_path):
    net = read(book(tmp_path / "net.xlsx", one=[["pre", "post", "w"], ["720575940621039145", 7, 0.1], [7, 8, 1 / 3]]))
    assert net.labels == (720575940621039145, 7, 8)
    assert net.synapses.weight.sum() == pytest.approx(0.1 + 1 / 3, abs=1e-15)


def test_a_sheet_is_a_matrix_with_names(tmp_path):
    rows = [[None, "u", "v", "x"], ["u", None, 2, 1], ["v", 0.5, None, 3], ["x", 1, 4, None]]
    net = read(book(tmp_path / "net.xlsx", one=rows), orientation="post-pre")
    assert net.labels == ("u", "v", "x")
    assert np.array_equal(net.weights.toarray(), [[0, 2, 1], [0.5, 0, 3], [1, 4, 0]])
    assert net.origin["blank_cells_taken_as_0"] == 3


def test_one_of_several_sheets_is_chosen(tmp_path):
    other = [["pre", "post"], ["x", "y"], ["y", "x"]]
    path = book(tmp_path / "net.xlsx", notes=[["nothing here"]], synapses=LIST, other=other)
    with pytest.raises(BadFile, match="has 3 sheets, 'notes', 'synapses', 'other': choose one with sheet="):
        read(path)
    for sheet in ("synapses", "2"):
        assert edges(read(path, sheet=sheet)) == EXPECTED
    assert set(edges(read(path, sheet="other"))) == {("x", "y"), ("y", "x")}
    with pytest.raises(BadFile, match="has no sheet '9'; its sheets are 'notes', 'synapses', 'other'"):
        read(path, sheet="9")
    pl.DataFrame({"pre": ["a"], "post": ["b"]}).write_csv(tmp_path / "net.csv")
    with pytest.raises(InvalidOption, match="leave out sheet="):
        read(tmp_path / "net.csv", sheet="1")


def test_a_bad_cell_is_named_by_its_row_and_a_damaged_book_is_refused(tmp_path):
    with pytest.raises(BadFile, match="line 3, column 'synapses' holds 'many'"):
        read(book(tmp_path / "net.xlsx", one=[*LIST[:2], ["b", "c", "many"]]))
    with pytest.raises(BadFile, match="the sheet 'one' is empty"):
        read(book(tmp_path / "empty.xlsx", one=[]))
    (tmp_path / "bad.xlsx").write_bytes((tmp_path / "net.xlsx").read_bytes()[:900])
    with pytest.raises(BadFile, match="is no readable spreadsheet"):
        read(tmp_path / "bad.xlsx")
