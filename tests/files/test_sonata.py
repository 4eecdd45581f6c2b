"""SONATA: where the weights of edges stand."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from noiseprune import read
from noiseprune.errors import BadFile, InvalidOption
from tests.files.test_tables import edges

h5py = pytest.importorskip("h5py")

SOURCE, TARGET = np.array([0, 1, 2, 3]), np.array([1, 2, 3, 0])


def written(path, **columns):
    """Four edges in a ring; columns are named as in the file, with __ for /."""
    with h5py.File(path, "w") as file:
        group = file.create_group("edges/p")
        group["source_node_id"], group["target_node_id"] = SOURCE, TARGET
        for name, values in columns.items():
            group[name.replace("__", "/").removeprefix("_")] = np.asarray(values)
    return path


def ring(*weights):
    return {(int(i), int(j)): w for i, j, w in zip(SOURCE, TARGET, weights, strict=True) if w}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(groups=st.lists(st.sampled_from([0, 1, 7]), min_size=4, max_size=4), order=st.permutations(range(4)))
def test_any_split_into_groups_and_any_order_within_them_is_the_same_network(tmp_path, groups, order):
    weights = np.array([10.0, -20.0, 30.0, 40.0])
    parts, index = {g: [] for g in groups}, [0] * 4
    for k in order:
        index[k] = len(parts[groups[k]])
        parts[groups[k]].append(weights[k])
    columns = {f"_{g}__syn_weight": values for g, values in parts.items()}
    path = written(tmp_path / "net.sonata.h5", edge_group_id=groups, edge_group_index=index, **columns)
    assert edges(read(path)) == ring(*weights)


TYPES = 'edge_type_id model syn_weight delay\n100 "two words" 0.5 1\n101 b -0.25 2\n102 b NULL 3\n'


def test_weights_of_edge_types_count_once_a_synapse(tmp_path):
    path = written(tmp_path / "v1_edges.h5", edge_type_id=[100, 101, 100, 101], _0__nsyns=[2, 3, 1, 1])
    (tmp_path / "v1_edge_types.csv").write_text(TYPES)
    (tmp_path / "other_edge_types.csv").write_text("edge_type_id syn_weight\n7 7\n")
    net = read(path)
    assert edges(net) == ring(1.0, -0.75, 0.5, -0.25)
    assert net.origin["weight"] == "syn_weight of v1_edge_types.csv, times nsyns"
    assert edges(read(path, weight="delay")) == ring(1.0, 2.0, 1.0, 2.0)


def test_a_weight_of_its_own_comes_before_that_of_the_type(tmp_path):
    path = written(
        tmp_path / "net.sonata.h5",
        edge_type_id=[100, 101, 100, 102],
        edge_group_id=[0, 0, 1, 1],
        edge_group_index=[1, 0, 0, 1],
        _1__syn_weight=[5.0, 6.0],
        _0__nsyns=[4, 2],
    )
    (tmp_path / "types.csv").write_text(TYPES)
    net = read(path, edge_types=tmp_path / "types.csv")
    assert edges(net) == ring(1.0, -1.0, 5.0, 6.0)
    assert net.origin["weight"] == "syn_weight of types.csv, its own for 2 edges, times nsyns"


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ([100, 100, 100, 103], "has no edge type 103, which edges in net_edges.h5 have; add its syn_weight"),
        ([100, 100, 100, 102], "edge type 102 has syn_weight = 'NULL', where a finite number was expected"),
    ],
)
def test_a_type_or_a_weight_that_is_missing_is_named(tmp_path, kinds, message):
    path = written(tmp_path / "net_edges.h5", edge_type_id=kinds)
    (tmp_path / "net_edge_types.csv").write_text(TYPES)
    with pytest.raises(BadFile, match=message):
        read(path)


def test_one_of_several_tables_of_types_is_chosen(tmp_path):
    path = written(tmp_path / "net.sonata.h5", edge_type_id=[100] * 4)
    for name in ("a", "b"):
        (tmp_path / f"{name}_edge_types.csv").write_text(TYPES)
    with pytest.raises(BadFile, match="several tables of edge types lie beside it, a_edge_types.csv, b_edge_types.csv"):
        read(path)
    assert edges(read(path, edge_types=tmp_path / "b_edge_types.csv")) == ring(0.5, 0.5, 0.5, 0.5)
    with pytest.raises(BadFile, match="no such file"):
        read(path, edge_types=tmp_path / "c.csv")
    (tmp_path / "net.csv").write_text("pre,post\na,b\n")
    with pytest.raises(InvalidOption, match="leave out edge_types="):
        read(tmp_path / "net.csv", edge_types=tmp_path / "b_edge_types.csv")


def test_without_any_weight_each_edge_counts_its_synapses_and_it_is_said(tmp_path):
    net = read(written(tmp_path / "net.sonata.h5", edge_type_id=[100] * 4, _0__nsyns=[1, 2, 3, 4]))
    assert edges(net) == ring(1.0, 2.0, 3.0, 4.0)
    assert "no table *edge_types.csv beside the file: each edge counts 1, times nsyns" in net.origin["weight"]
    (tmp_path / "edge_types.csv").write_text("edge_type_id delay\n100 1\n")
    net = read(tmp_path / "net.sonata.h5")
    assert net.origin["weight"] == "no syn_weight in edge_types.csv: each edge counts 1, times nsyns"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"edge_group_id": [0] * 4, "edge_group_index": [0, 1, 2, 9]},
            "edge 3 has edge_group_index 9, .* has 4 values",
        ),
        ({"edge_group_id": [0] * 4, "edge_group_index": [0, 1, 2, -1]}, "edge 3 has edge_group_index -1"),
        (
            {"edge_group_id": [0] * 4, "edge_group_index": [0]},
            "4 values of edge_group_id and 1 of edge_group_index for 4",
        ),
        ({"edge_group_id": [0, 0, 0, 1], "edge_group_index": [0, 1, 2, 0]}, "edge 3 has no syn_weight .1 such edges."),
        ({"_0__syn_weight": [1.0]}, "syn_weight of group 0 has 1 values for 4 edges"),
    ],
)
def test_groups_that_do_not_hold_together_are_named(tmp_path, columns, message):
    path = written(tmp_path / "net.sonata.h5", **({"_0__syn_weight": [1.0, 2.0, 3.0, 4.0]} | columns))
    with pytest.raises(BadFile, match=message):
        read(path)


def test_a_table_without_types_is_named(tmp_path):
    (tmp_path / "net_edge_types.csv").write_text("type syn_weight\n100 1\n")
    with pytest.raises(
        BadFile, match="net_edge_types.csv: has no edge_type_id, by which edges and their types are joined"
    ):
        read(written(tmp_path / "net_edges.h5", edge_type_id=[100] * 4))
    with pytest.raises(BadFile, match="net_edges.h5: has no edge_type_id"):
        read(written(tmp_path / "net_edges.h5"))
    with pytest.raises(BadFile, match="has 2 values of edge_type_id for 4 edges"):
        (tmp_path / "net_edge_types.csv").write_text(TYPES)
        read(written(tmp_path / "net_edges.h5", edge_type_id=[100] * 2))
