import io
import json
import logging
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import noiseprune
from noiseprune import cli, gallery
from noiseprune.cli import session
from tests.view.pages import Page

TABLE = "pre,post,weight,nt_type\na,b,2,GABA\nb,c,3,ACh\nc,a,4,ACh\na,c,1,GABA\n"


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Run the command line in this process, in an empty folder; return exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.csv").write_text(TABLE, encoding="utf-8")

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["noiseprune", *map(str, words)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        out, err = capsys.readouterr()
        return caught.value.code, out, err

    return run


def program(*words, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "noiseprune", *words], capture_output=True, text=True, cwd=cwd, encoding="utf-8"
    )


@pytest.mark.parametrize("verb", ["demo", "inspect", "prune", "compare", "sweep", "run", "convert", "report"])
def test_every_verb_has_help_with_a_real_command(run, verb):
    code, out, _ = run(verb, "--help")
    assert code == 0
    assert f"noiseprune {verb}" in out


def test_version_and_help_do_not_load_numerical_libraries():
    done = program("--version")
    assert (done.returncode, done.stdout) == (0, f"noiseprune {noiseprune.__version__}\n")
    code = (
        "import sys, noiseprune.cli\n"
        "sys.argv = ['noiseprune', '--help']\n"
        "try: noiseprune.cli.main()\n"
        "except SystemExit: pass\n"
        "print([m for m in ('numpy', 'scipy', 'polars', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8")
    assert done.stdout.endswith("[]\n")


def test_prune_prints_a_table_and_writes_a_file_that_reads_back(run, tmp_path):
    code, out, err = run(
        "prune", "net.csv", "--inhibitory", "GABA", "--density", "0.9", "--draw", "fixed", "-o", "out.csv"
    )
    assert code == 0
    assert "4 synapses" in out
    assert "GABA -" in out
    assert "Wrote out.csv" in out
    assert noiseprune.read(tmp_path / "out.csv").labels == ("a", "b", "c")
    assert "Traceback" not in err


def test_what_is_pruned_is_written_before_it_is_compared(run, tmp_path, monkeypatch):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("noiseprune.measure.compare.compare", stopped)
    code, out, _ = run("prune", "net.csv", "--density", "0.9", "-o", "out.csv")
    assert code != 0
    assert "Wrote out.csv, with out.csv.json beside it" in out
    assert noiseprune.read(tmp_path / "out.csv").n_neurons == 3


def test_compare_finds_the_numbers_of_the_prune_with_its_seed(run):
    _, out, _ = run("prune", "net.csv", "--density", "0.9", "--seed", "3", "-o", "out.npz", "--json")
    _, again, _ = run("compare", "net.csv", "out.npz", "--seed", "3", "--json")
    first, second = (json.loads(text)["result"] for text in (out, again))
    for name in ("fixed_point_error", "decay_error", "trajectory_error"):
        assert first[name] == pytest.approx(second[name], rel=1e-9)


def test_a_prune_says_what_was_chosen(run):
    _, out, _ = run("prune", "net.csv", "--density", "0.9")
    assert "Pruned with probe Exact" in out
    assert "strengthen regressed, leak original" in out


def test_a_table_whose_transmitters_all_excite_is_pointed_out(run):
    assert "caution: no transmitter is inhibitory" in run("inspect", "net.csv")[1]
    assert "caution" not in run("inspect", "net.csv", "--inhibitory", "GABA")[1]


def test_json_is_one_strict_object_on_standard_output(run, tmp_path):
    code, out, err = run("prune", "net.csv", "--density", "0.5", "--seed", "3", "-o", "out.npz", "--json")
    found = json.loads(out, parse_constant=pytest.fail)
    assert code == 0
    assert set(found) == {"schema_version", "command", "input", "result", "provenance", "warnings"}
    assert found["command"] == "prune"
    assert found["result"]["output"] == "out.npz"
    assert found["provenance"]["seed"] == 3
    assert found["result"]["n_synapses_after"] == noiseprune.read(tmp_path / "out.npz").n_synapses
    assert "Read net.csv" in err
    assert all(warning in err.replace("\n", " ") for warning in found["warnings"])


def test_no_compare_measures_nothing(run):
    code, out, _ = run("prune", "net.csv", "--density", "0.5", "--no-compare", "--json")
    assert code == 0
    assert "covariance_error" not in json.loads(out)["result"]


def test_quiet_prints_nothing_for_people(run):
    code, out, err = run("prune", "net.csv", "--density", "1", "--quiet")
    assert (code, out, err) == (0, "", "")


def test_compare_takes_reading_options_for_what_records_nothing(run):
    run("prune", "net.csv", "--inhibitory", "GABA", "--density", "0.7", "-o", "out.csv")
    code, out, _ = run("compare", "net.csv", "out.csv", "--inhibitory", "GABA", "--json")
    assert code == 0
    assert json.loads(out)["result"]["n_synapses_before"] == 4
    code, out, _ = run("compare", "net.csv", "net.csv", "--threads", "1")
    assert code == 0
    assert "Kept 100 %" in out


def test_inspect_says_what_a_file_holds(run):
    code, out, _ = run("inspect", "net.csv", "--inhibitory", "GABA", "--json")
    found = json.loads(out)["result"]
    assert code == 0
    assert (found["n_neurons"], found["n_synapses"], found["negative_synapses"]) == (3, 4, 2)
    assert found["stable"] is True
    assert found["origin"]["transmitters"] == {"GABA": "-", "ACh": "+"}
    code, out, _ = run("inspect", "net.csv")
    assert "spectral abscissa" in out


def test_sweep_prints_a_table_and_recommends(run, tmp_path):
    noiseprune.write(gallery.clustered([30, 20], between=20, rng=12), tmp_path / "net.npz")
    words = ["sweep", "net.npz", "--density", "0.5,0.9", "--density", "1", "--draws", "3", "--tolerance", "0.9"]
    code, out, _ = run(*words, "--checkpoint", "draws.jsonl", "-o", "table.csv")
    assert code == 0
    assert "Recommended: density" in out
    assert (tmp_path / "table.csv").read_text(encoding="utf-8").startswith("target_density,rule,strengthen")
    code, out, _ = run(*words, "--checkpoint", "draws.jsonl", "--json")
    found = json.loads(out)["result"]
    assert (code, len(found["rows"])) == (0, 3)
    assert found["recommended"]["stable"] == 1
    assert run("sweep", "net.npz", "--density", "half")[0] == 2
    assert run("sweep", "net.npz", "--density", "0.5", "--draws", "2")[1].count("Give --tolerance") == 1


def test_pages_are_written_beside_what_is_printed(run, tmp_path):
    noiseprune.write(gallery.clustered([30, 20], between=20, rng=12), tmp_path / "net.npz")
    code, out, _ = run("prune", "net.npz", "--density", "0.5", "-o", "out.npz", "--report", "prune.html")
    assert code == 0
    assert "Wrote prune.html" in out
    command = "noiseprune prune net.npz --density 0.5 -o out.npz --report prune.html"
    assert command in Page((tmp_path / "prune.html").read_text(encoding="utf-8")).text
    assert run("compare", "net.npz", "out.npz", "--report", "compare.html")[0] == 0
    assert "<svg" in (tmp_path / "compare.html").read_text(encoding="utf-8")
    words = ["sweep", "net.npz", "--density", "0.5,0.9", "--draws", "2", "-o", "t.json", "--report", "sweep.html"]
    assert run(*words)[0] == 0
    code, out, _ = run("report", "t.json", "-o", "again.html")
    assert (code, out) == (0, "Wrote again.html\n")
    first, again = ((tmp_path / name).read_text(encoding="utf-8") for name in ("sweep.html", "again.html"))
    assert first == again
    assert run("report", "t.json", "-o", "again.html", "--overwrite", "--quiet") == (0, "", "")
    assert "holds no result of prune" in run("report", "out.npz")[2]


def test_run_prints_how_the_network_developed_and_writes_it(run, tmp_path):
    noiseprune.write(gallery.ring(20, 3, excess=1.0), tmp_path / "net.npz")
    words = ["run", "net.npz", "--until-density", "0.5", "--window", "5", "--seed", "3"]
    more = ["-o", "out.npz", "--trace", "trace.npz", "--checkpoint", "state.npz", "--report", "run.html"]
    code, out, _ = run(*words, *more)
    assert code == 0
    assert "worst dir." in out
    assert "Wrote out.npz" in out
    assert "Kept 50 % of 120 synapses; stable" in out
    after, trace = noiseprune.read(tmp_path / "out.npz"), noiseprune.load(tmp_path / "trace.npz")
    assert after.n_synapses == trace.network.n_synapses == 60
    assert run("report", "trace.npz", "-o", "again.html")[0] == 0
    page = Page((tmp_path / "run.html").read_text(encoding="utf-8"))
    assert {"activity_variance": trace.records[-1]["activity_variance"]} in page.numbers
    assert "noiseprune run net.npz --until-density 0.5" in page.text
    code, out, _ = run(*words, "--schedule", "continuous", "--json")
    found = json.loads(out, parse_constant=pytest.fail)
    assert (code, found["command"], found["result"]["output"]) == (0, "run", None)
    assert found["result"]["records"][-1]["density"] <= 0.5
    assert found["result"]["comparison"]["n_synapses_after"] == found["result"]["records"][-1]["synapses"]
    assert found["provenance"]["seed"] == 3


def test_a_square_matrix_goes_through_with_its_orientation(run, tmp_path):
    np.savetxt(tmp_path / "m.csv", [[0, 2, 1], [0, 0, 3], [4, 0, 0]], fmt="%d", delimiter=" ")
    code, _, err = run("prune", "m.csv", "--density", "0.5")
    assert code == 2
    assert "--orientation pre-post" in err
    assert (
        run("prune", "m.csv", "--density", "0.5", "--orientation", "pre-post", "--base-leak", "2", "--gain", "0.5")[0]
        == 0
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["prune", "nothing.csv", "--density", "0.5"], "nothing.csv: no such file"),
        (["prune", "net.csv"], "say how much to keep.*n ln n / m = 0.82; try --density 0.82"),
        (["prune", "net.csv", "--density", "1.5"], "density must be above 0 and at most 1"),
        (["prune", "net.csv", "--density", "0.5", "--K", "2"], "exactly one of"),
        (["prune", "net.csv", "--epsilon", "0.5"], "theorem .* does not hold: the network is directed"),
        (
            ["prune", "net.csv", "--density", "0.5", "-o", "net.csv"],
            "is the file net.csv, which is read",
        ),
        (["prune", "net.csv", "--density", "0.5", "-o", "no/out.csv"], "folder no does not exist"),
        (["prune", "net.csv", "--density", "0.5", "--report", "no/page.html"], "folder no does not exist"),
        (
            ["sweep", "net.csv", "--density", "0.5", "--report", "net.csv"],
            "is the file net.csv, which is read",
        ),
        (
            ["compare", "net.csv", "net.csv", "--report", "net.csv"],
            "is the file net.csv, which is read",
        ),
        (["report", "nothing.json"], "nothing.json: no such file"),
        (["prune", "net.csv", "--density", "0.5", "-o", "out.doc"], "unknown suffix '.doc'"),
        (["prune", "net.csv", "--density", "0.5", "--pre", "sender"], "no column 'sender'"),
        (["prune", "net.csv", "--density", "much"], "--density.*number"),
        (["prune", "net.csv", "--dense", "0.5"], "--dense"),
        (["prune"], "FILE|file"),
        (["prune", "net.csv", "--density", "0.5", "--base-leak", "big"], "base_leak must be"),
        (["frobnicate"], "frobnicate"),
        (["run", "net.csv"], "exactly one of until_density and K"),
        (
            ["run", "net.csv", "--until-density", "0.5", "--trace", "out.csv"],
            "saved as .npz, all of it, or as .parquet",
        ),
        (["run", "net.csv", "--until-density", "0.5", "--trace", "no/out.npz"], "folder no does not exist"),
        (["prune", "net.csv", "--density", "0.5", "--seed", "-1"], "rng must be a seed"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(run, words, message):
    code, _, err = run(*words)
    assert code == 2
    lines = err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("noiseprune: ")
    assert re.search(message, lines[0])


def test_nothing_is_read_before_the_output_is_known_to_be_writable(run, tmp_path):
    (tmp_path / "net.csv").write_text("not,a\nnetwork", encoding="utf-8")
    code, _, err = run("prune", "net.csv", "--density", "0.5", "-o", "no/out.csv")
    assert code == 2
    assert "folder no does not exist" in err


def test_an_unstable_result_is_a_loud_warning_and_no_error(run, tmp_path):
    noiseprune.write(gallery.excitatory_inhibitory(80, rng=11), tmp_path / "ei.npz")
    code, out, err = run("prune", "ei.npz", "--density", "0.1", "--strengthen", "reciprocal", "--json")
    assert code == 0
    assert "UNSTABLE" in err
    assert json.loads(out)["result"]["stable_after"] is False


def test_progress_is_shown_on_a_terminal_once_work_takes_long(monkeypatch):
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    monkeypatch.setattr(session, "PATIENCE", 0.05)
    with session._progress(console, quiet=False):
        logging.getLogger("noiseprune").info("measuring many synapses")
        time.sleep(0.3)
        logging.getLogger("noiseprune").info("sampled 8 of 64", extra={"progress": (8, 64)})
        time.sleep(0.3)
        logging.getLogger("noiseprune").info("sampled 64 of 64", extra={"progress": (64, 64)})
    assert "measuring many synapses" in console.file.getvalue()
    assert "sampled 8 of 64" in console.file.getvalue()
    silent = Console(file=io.StringIO(), force_terminal=True)
    with session._progress(silent, quiet=True):
        time.sleep(0.1)
    with session._progress(Console(file=io.StringIO(), force_terminal=False), quiet=False):
        pass
    assert silent.file.getvalue() == ""
    assert logging.getLogger("noiseprune").handlers[1:] == []


def test_a_bug_of_ours_keeps_its_traceback(run, monkeypatch):
    monkeypatch.setattr(noiseprune, "read", lambda *_, **__: 1 / 0)
    monkeypatch.setattr(sys, "argv", ["noiseprune", "inspect", "net.csv"])
    with pytest.raises(ZeroDivisionError):
        cli.main()


def test_an_interrupt_ends_with_130(run, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(noiseprune, "read", interrupt)
    assert run("inspect", "net.csv")[0] == 130


@pytest.mark.parametrize("extra", [[], ["--probe", "sketched"], ["--probe", "simulated"], ["--rule", "weight"]])
def test_dry_run_estimates_and_writes_nothing(run, tmp_path, extra):
    code, out, _ = run("prune", "net.csv", "--density", "0.5", "-o", "out.csv", "--dry-run", "--json", *extra)
    assert code == 0
    result = json.loads(out)["result"]
    assert result["dry_run"] is True
    assert result["memory"] > 0
    assert all(seconds >= 0 for seconds in result["seconds"].values())
    assert result["seconds"]["strengthening"] > 0  # regressed: the network is directed
    assert not (tmp_path / "out.csv").exists()
    code, out, _ = run("prune", "net.csv", "--density", "0.5", "--dry-run", *extra)
    assert "memory beside the network" in out
    assert "Nothing was pruned or written" in out


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal as a terminal does")
def test_ctrl_c_ends_with_130_and_leaves_nothing_half_written(tmp_path):
    noiseprune.write(gallery.clustered([3000, 2500], within=0.01, between=3000, rng=5), tmp_path / "net.npz")
    words = ["prune", "net.npz", "--density", "0.3", "-o", "out.csv", "--probe", "simulated"]
    with subprocess.Popen([sys.executable, "-m", "noiseprune", *words], cwd=tmp_path) as process:
        time.sleep(4)  # reading takes one second, simulating minutes
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.npz"]


def test_demo_prints_both_rules_and_writes_a_page(tmp_path):
    """The paper's network, 2 000 neurons: five seconds, as a user runs it."""
    done = program("demo", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["result"]
    noise, weights = found["noise rule"], found["by weights"]
    assert abs(noise["density"] - 0.1) < 0.005
    assert noise["worst_direction"] < weights["worst_direction"]
    assert noise["eigenvalue_error"]["slowest"] < weights["eigenvalue_error"]["slowest"]
    page = (tmp_path / "noiseprune-demo.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert f"{noise['worst_direction']:.3g}" in page
    assert "by weights" in page
    again = program("demo", cwd=tmp_path)
    assert (again.returncode, "exists already" in again.stderr) == (2, True)


def test_inspect_prints_a_command_that_prunes_the_file(run, tmp_path):
    code, out, _ = run("inspect", "net.csv", "--inhibitory", "GABA", "--json")
    found = json.loads(out)["result"]
    assert code == 0
    assert found["density_that_connectivity_needs"] > 0
    assert set(found["memory_of_probes"]) == {"exact", "sketched", "simulated"}
    words = found["command"].split()
    assert words[:5] == ["noiseprune", "prune", "net.csv", "--inhibitory", "GABA"]
    code, out, _ = run(*words[1:])
    assert code == 0
    assert (tmp_path / "net.pruned.csv").exists()


def test_inspect_hints_at_the_density_of_an_epsilon_where_the_theorem_holds(run, tmp_path):
    net = gallery.clustered([12, 8], between=4, rng=3)
    noiseprune.write(net, tmp_path / "net.npz")
    _, out, _ = run("inspect", "net.npz", "--json")
    hint = json.loads(out)["result"]["density_that_epsilon_0.5_asks_for"]
    result = noiseprune.prune(net, epsilon=0.5, compare=False)
    assert hint == pytest.approx(result.probability.expected_synapses / net.n_synapses)
    _, out, _ = run("inspect", "net.csv", "--json")
    assert json.loads(out)["result"]["density_that_epsilon_0.5_asks_for"] is None


@pytest.mark.parametrize("target", ["net.npz", "net.parquet", "net.h5", "net.graphml"])
def test_convert_carries_all(run, tmp_path, target):
    code, out, _ = run("convert", "net.csv", target, "--inhibitory", "GABA")
    assert code == 0
    assert f"Wrote {target}; it carries all of the network" in out
    expected, found = noiseprune.read(tmp_path / "net.csv", inhibitory="GABA"), noiseprune.read(tmp_path / target)
    assert (expected.matrix() != found.matrix()).nnz == 0
    assert found.labels == expected.labels
    code, _, err = run("convert", "net.csv", target)
    assert code == 2
    assert "exists already" in err


def test_convert_says_what_a_script_cannot_carry(run):
    code, out, _ = run("convert", "net.csv", "net.brian2.py", "--json")
    assert code == 0
    assert json.loads(out)["result"]["cannot_carry"].startswith("labels and provenance")


def test_convert_says_what_other_programs_find_in_nir(run):
    pytest.importorskip("nir")
    code, out, _ = run("convert", "net.csv", "net.nir")
    assert code == 0
    assert "to other programs, which read weights and leak only (noiseprune reads all)" in " ".join(out.split())


def test_inspect_prints_zeros_that_were_given(run):
    _, out, _ = run("inspect", "net.csv", "--margin", "0", "--json")
    assert "--margin 0.0" in json.loads(out)["result"]["command"]


def test_inspect_quotes_for_the_terminal_at_hand():
    from noiseprune.cli.inspect import _quoted

    assert _quoted(["prune", "my net.csv"], windows=True) == 'prune "my net.csv"'
    assert _quoted(["prune", "my net.csv"], windows=False) == "prune 'my net.csv'"


@pytest.fixture
def unread():
    """A pipe that nobody reads."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    yield write_end
    os.close(write_end)


def unread_program(*words, unread, cwd):
    (cwd / "net.csv").write_text(TABLE, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "noiseprune", *words], cwd=cwd, stdout=unread, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
@pytest.mark.parametrize(
    "words",
    [
        ["prune", "net.csv", "--density", "1", "-o", "out.npz"],
        ["run", "net.csv", "--until-density", "1", "--schedule", "once", "-o", "out.npz"],
        ["sweep", "net.csv", "--density", "0.9", "--draws", "2", "-o", "out.json"],
        ["convert", "net.csv", "out.npz"],
    ],
)
def test_output_that_nobody_reads_loses_no_work(tmp_path, unread, words):
    """A process starts, some seconds."""
    done = unread_program(*words, unread=unread, cwd=tmp_path)
    assert done.returncode == 0
    assert all(line.startswith("warning: ") for line in done.stderr.splitlines())
    assert (tmp_path / words[-1]).stat().st_size


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["inspect", "net.csv"], ["inspect", "net.csv", "--json", "--quiet"]]
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_pipe_closed_early_is_no_error(tmp_path, monkeypatch, unread, words, unbuffered):
    """A process starts, a second or two."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    done = unread_program(*words, unread=unread, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_output_to_a_full_disk_is_one_line_and_the_file_is_written(tmp_path):
    (tmp_path / "net.csv").write_text(TABLE, encoding="utf-8")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "noiseprune", "convert", "net.csv", "net.npz"],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2
    assert done.stderr == "noiseprune: the standard output cannot be written: No space left on device\n"
    assert (tmp_path / "net.npz").exists()


@pytest.mark.skipif(os.name != "posix", reason="a shell of POSIX")
def test_a_standard_output_that_is_closed_is_no_error(tmp_path):
    (tmp_path / "net.csv").write_text(TABLE, encoding="utf-8")
    command = f"{shlex.quote(sys.executable)} -m noiseprune inspect net.csv >&-"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
