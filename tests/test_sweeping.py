import json

import numpy as np
import polars as pl
import pytest

import noiseprune
from noiseprune import gallery
from noiseprune.errors import BadFile, InvalidOption
from noiseprune.experiments import executors
from noiseprune.experiments.sweep import sweep
from noiseprune.measure.snapshots import Camera, spectrum_of, sums_of
from noiseprune.network.ordering import block_sums, cluster_order, typical_largest

NET = gallery.clustered([30, 20], within=0.6, between=20, signed=True, rng=701)
EI = gallery.excitatory_inhibitory(30, rng=702)


def test_rows_are_means_and_standard_errors_of_draws_that_prune_would_make():
    table = sweep(
        NET, densities=[0.4, 0.8], rules=["noise", "weight"], strengthens=["reciprocal", "matched"], draws=4, rng=3
    )
    assert len(table.rows) == 8
    assert len(table.cases) == 32
    row = next(r for r in table.rows if (r["target_density"], r["rule"], r["strengthen"]) == (0.8, "noise", "matched"))
    worst = []
    for draw in range(4):
        seed = executors.draw_seed(3, draw)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("noiseprune.pruning.pipeline._warn", lambda *_: None)
            result = noiseprune.prune(NET, density=0.8, strengthen="matched", compare=False, rng=seed)
        worst.append(noiseprune.compare(NET, result.network, rng=seed).worst_direction)
    assert row["worst_direction"] == pytest.approx(np.mean(worst))
    assert row["worst_direction_se"] == pytest.approx(np.std(worst, ddof=1) / 2)
    assert row["stable"] == 1


@pytest.mark.parametrize("net", [NET, EI], ids=["symmetric", "directed"])
def test_a_draw_has_the_numbers_of_prune_and_compare_with_its_seed(net):
    table = sweep(net, densities=[0.6, 0.9], draws=2, rng=8)
    assert [row["seed"] for row in table.rows] == [8, 8]
    assert table.cases[0]["seed"] == table.cases[2]["seed"] == 8
    assert table.cases[1]["seed"] not in (8, None)
    for case in table.cases:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("noiseprune.pruning.pipeline._warn", lambda *_: None)
            pruned = noiseprune.prune(net, density=case["target_density"], compare=False, rng=case["seed"]).network
        kept = noiseprune.compare(net, pruned, rng=case["seed"])
        for name in ("density", "fixed_point_error", "decay_error", "covariance_error", "worst_direction"):
            assert case[name] == getattr(kept, name)
        assert case["trajectory_error_rectified"] == kept.trajectory_error["rectified"]


def test_all_rules_and_strengthenings_of_a_draw_share_their_uniforms():
    table = sweep(NET, densities=[0.5], strengthens=["reciprocal", "matched"], draws=3)
    first, second = ([c["density"] for c in table.cases if c["strengthen"] == s] for s in ("reciprocal", "matched"))
    assert first == second
    assert len(set(first)) > 1


def test_workers_change_nothing():
    """Two processes start, two seconds each."""
    one = sweep(EI, densities=[0.6], draws=4, rng=4)
    two = sweep(EI, densities=[0.6], draws=4, rng=4, workers=2)
    assert [set(c) for c in one.cases] == [set(c) for c in two.cases]
    for a, b in zip(one.cases, two.cases, strict=True):
        assert a["density"] == b["density"]
        assert a["decay_error"] == pytest.approx(b["decay_error"], rel=1e-9)


def test_the_smallest_density_within_the_tolerance_is_recommended():
    table = sweep(NET, densities=[0.3, 0.6, 0.9, 1.0], strengthens=["reciprocal"], draws=5, tolerance=0.6)
    upper = {r["target_density"]: r["worst_direction"] + 2.1318 * r["worst_direction_se"] for r in table.rows}
    good = [density for density, value in upper.items() if value <= 0.6]
    assert table.recommended["target_density"] == min(good)
    assert "worst_direction at most 0.6 with 95 % confidence" in table.criterion
    assert sweep(NET, densities=[0.3], draws=3, tolerance=1e-6).recommended is None
    assert sweep(NET, densities=[0.3], draws=3).recommended is None


def test_the_first_draw_of_each_choice_leaves_a_picture():
    table = sweep(NET, densities=[0.4, 0.8], rules=["noise", "weight"], draws=2, rng=3)
    assert len(table.pictures["after"]) == 4
    assert not any("picture" in case for case in table.cases)
    found = spectrum_of(table.pictures["before"])
    expected = np.linalg.eigvalsh(NET.matrix().toarray())
    np.testing.assert_allclose(found, expected[np.argsort(np.abs(expected))], rtol=1e-4)
    sums = sums_of(table.pictures["before"])
    shade = np.abs(block_sums(NET, cluster_order(NET), 64))
    assert sums.shape == shade.shape == (50, 50)
    np.testing.assert_allclose(np.abs(sums), np.minimum(shade / typical_largest(shade), 1), atol=0.01)
    complex_ones = spectrum_of(sweep(EI, densities=[0.6], draws=1).pictures["after"][0])
    assert np.iscomplexobj(complex_ones)


def test_pictures_stay_small_whatever_the_network(monkeypatch):
    monkeypatch.setattr("noiseprune.machine.limits.SYMMETRIC_SPECTRUM", 100)
    picture = Camera(gallery.ring(400)).take(gallery.ring(400))
    assert spectrum_of(picture) is None
    assert sums_of(picture).shape == (64, 64)
    assert len(json.dumps(picture)) < 10_000


def test_unstable_draws_are_counted_and_never_recommended():
    table = sweep(EI, densities=[0.15], strengthens=["reciprocal"], draws=6, tolerance=1e9)
    (row,) = table.rows
    assert row["stable"] < 1
    assert table.recommended is None
    json.dumps(table.to_dict(), allow_nan=False)


def test_refused_draws_are_part_of_the_table():
    chain = np.diag(np.ones(11), 1) + np.diag(np.ones(11), -1)
    net = noiseprune.Network(chain, chain.sum(axis=1) + np.eye(12)[0])
    table = sweep(net, densities=[0.7], rules=["uniform"], strengthens=["matched"], draws=4)
    assert table.rows[0]["refused"] > 0
    assert any("nothing to match" in (case["refused"] or "") for case in table.cases)


def test_a_sweep_resumes_where_it_was_interrupted(tmp_path, monkeypatch):
    path = tmp_path / "sweep.jsonl"
    whole = sweep(NET, densities=[0.5, 0.8], draws=3, checkpoint=path)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:4]) + lines[4][:20], encoding="utf-8")  # cut in the middle of a line
    counted = []
    run = executors.Worker.__call__
    monkeypatch.setattr(executors.Worker, "__call__", lambda self, case: counted.append(case) or run(self, case))
    again = sweep(NET, densities=[0.5, 0.8], draws=3, checkpoint=path)
    assert len(counted) == 3
    assert again.rows == whole.rows
    with pytest.raises(BadFile, match="checkpoint of another sweep"):
        sweep(NET, densities=[0.5], draws=3, checkpoint=path, rng=9)
    path.write_text("not json\n", encoding="utf-8")
    with pytest.raises(BadFile, match="is no checkpoint"):
        sweep(NET, densities=[0.5], draws=3, checkpoint=path)
    with pytest.raises(BadFile, match="cannot be written"):
        sweep(NET, densities=[0.5], draws=3, checkpoint=tmp_path / "no" / "sweep.jsonl")


def test_tables_are_saved_as_json_csv_and_parquet(tmp_path):
    table = sweep(EI, densities=[0.5, 0.9], draws=2)
    for suffix in ("json", "csv", "parquet"):
        table.save(tmp_path / f"t.{suffix}")
    found = json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))
    assert found["rows"] == table.rows
    assert noiseprune.load(tmp_path / "t.json") == table
    (tmp_path / "bad.json").write_text("{}", encoding="utf-8")
    with pytest.raises(BadFile, match="is no readable sweep"):
        noiseprune.load(tmp_path / "bad.json")
    assert pl.read_parquet(tmp_path / "t.parquet").height == 2
    assert pl.read_csv(tmp_path / "t.csv")["target_density"].to_list() == [0.5, 0.9]
    with pytest.raises(BadFile, match="exists already"):
        table.save(tmp_path / "t.csv")
    with pytest.raises(BadFile, match=r"saved as .json, .csv or .parquet"):
        table.save(tmp_path / "t.xls")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"densities": []}, "densities must be a list of at least one"),
        ({"densities": [0.5], "rules": "noise"}, "rules must be a list"),
        ({"densities": [0.5], "draws": 0}, "draws must be a whole number"),
        ({"densities": [0.5], "workers": 1.5}, "workers must be a whole number"),
        ({"densities": [2.0]}, "density must be above 0"),
        ({"densities": [0.5], "strengthens": ["matched"]}, "this one is directed"),
    ],
)
def test_impossible_sweeps_are_refused(options, message):
    with pytest.raises(InvalidOption, match=message):
        sweep(EI, **options)
