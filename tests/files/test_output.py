"""What is written never destroys what is read, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from noiseprune import Network, load, read, write
from noiseprune.errors import BadFile
from noiseprune.machine.output import check_apart, replacing
from tests.files.test_tables import edges

KILLED = """
import os, signal, sys
from noiseprune.machine.output import replacing
with replacing(sys.argv[1], overwrite=True) as temporary:
    temporary.write_text("half")
    if sys.argv[2] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    print("ready", flush=True)
    input()
"""
unix = pytest.mark.skipif(os.name == "nt", reason="kill -9 is of Unix")


def left(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix == ".tmp")


@unix
@pytest.mark.parametrize("name", ["net.csv", "x" * 240, "[a-z]*.csv"])
def test_what_a_killed_process_left_is_removed_by_the_next_one_that_writes_the_same_file(tmp_path, name):
    for other in (name, "other.csv"):
        command = [sys.executable, "-c", KILLED, str(tmp_path / other), "killed"]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert len(left(tmp_path)) == 2
    with replacing(tmp_path / name, overwrite=True) as temporary:
        temporary.write_text("whole")
    assert (tmp_path / name).read_text() == "whole"
    assert len(left(tmp_path)) == 1
    assert "other.csv" in left(tmp_path)[0]


@unix
def test_the_temporary_file_of_a_process_that_lives_stays(tmp_path):
    target = tmp_path / "net.csv"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(target), "lives"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "ready\n"
        with replacing(target, overwrite=True) as temporary:
            temporary.write_text("mine")
            assert len(left(tmp_path)) == 2
        assert target.read_text() == "mine"
        other.communicate("\n")
    assert other.returncode == 0
    assert target.read_text() == "half"
    assert left(tmp_path) == []


def test_files_of_others_with_similar_names_stay(tmp_path):
    others = [".net.csv.tmp", ".net.csv.0123abcd.tmp", ".net.csv.bak.999999999.0123abcd.tmp"]
    for name in others:
        (tmp_path / name).write_text("somebody's")
    with replacing(tmp_path / "net.csv", overwrite=True) as temporary:
        temporary.write_text("x")
    assert left(tmp_path) == sorted(others)


def noiseprune(folder, *words):
    command = [sys.executable, "-m", "noiseprune", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    return done.returncode, done.stderr.strip()


@unix
def test_no_command_writes_over_what_it_reads(tmp_path):
    """Takes seconds: a process a command."""
    rows = "pre,post,weight\na,b,1\nb,a,2\n"
    (tmp_path / "net.csv").write_text(rows)
    (tmp_path / "names.csv").write_text("a\nb\n")
    (tmp_path / "link.csv").symlink_to("net.csv")
    (tmp_path / "hard.csv").hardlink_to(tmp_path / "net.csv")
    prune = ("prune", "net.csv", "--density", "0.5", "--overwrite")
    commands = [
        (*prune, "-o", "net.csv"),
        (*prune, "-o", "./link.csv"),
        (*prune, "-o", "hard.csv"),
        (*prune, "--report", "net.csv"),
        (*prune, "-o", "names.csv", "--labels", "names.csv"),
        ("convert", "net.csv", "net.csv", "--overwrite"),
        ("sweep", "link.csv", "--density", "0.5", "-o", "net.csv", "--overwrite"),
        ("run", "net.csv", "--until-density", "0.5", "-o", "link.csv", "--overwrite"),
        ("compare", "names.csv", "net.csv", "--report", "net.csv", "--overwrite"),
        ("report", "net.csv", "-o", "link.csv", "--overwrite"),
    ]
    for command in commands:
        code, error = noiseprune(tmp_path, *command)
        assert code == 2
        assert ", which is read, and would be lost: choose another name" in error, command
        assert "\n" not in error
        assert (tmp_path / "net.csv").read_text() == rows
    assert (tmp_path / "names.csv").read_text() == "a\nb\n"


def test_files_that_belong_beside_count_too_and_none_is_written_twice(tmp_path):
    one, other = tmp_path / "a.csv", tmp_path / "b.csv"
    check_apart([one], [other])
    with pytest.raises(BadFile, match=r"a\.csv: is the file .*a\.csv, which is read, and would be lost"):
        check_apart([other, one], [one])
    with pytest.raises(BadFile, match=r"b\.csv: is written twice, as .*b\.csv, and would be lost"):
        check_apart([one], [other, tmp_path / ".." / tmp_path.name / "b.csv"])
    write(Network([[0, 1.0], [2, 0]], 3.0), tmp_path / "net.npy")
    code, error = noiseprune(
        tmp_path, "prune", "net.npy", "--density", "0.5", "--report", "net.npy.json", "--overwrite"
    )
    assert (code, "net.npy.json, which is read" in error) == (2, True)


DEEP = "[" * 100_000


def test_records_nested_too_deeply_are_bad_files(tmp_path):
    import numpy as np
    import polars as pl

    from noiseprune import gallery, sweep

    frame = pl.DataFrame({"pre": [0, 1], "post": [1, 0], "weight": [1.0, 2.0]})
    frame.write_parquet(tmp_path / "net.parquet", metadata={"noiseprune": DEEP})
    frame.write_ipc(tmp_path / "net.feather")
    np.savez(tmp_path / "result.npz", noiseprune_result=np.array(DEEP))
    np.savez(tmp_path / "net.npz", format=b"csr", shape=(1, 1), indices=[0], indptr=[0, 1], data=[1.0], noiseprune=DEEP)
    (tmp_path / "net.feather.json").write_text('"noiseprune network"' + DEEP)
    (tmp_path / "sweep.json").write_text(DEEP)
    (tmp_path / "checkpoint").write_text(DEEP + "\n")
    for name in ("net.parquet", "net.npz"):
        with pytest.raises(BadFile, match="is no record of a noiseprune network"):
            read(tmp_path / name)
    (tmp_path / "net.feather.json").write_text('{"noiseprune network": ' + DEEP.replace("[", '"noiseprune network":{'))
    with pytest.raises(BadFile, match="is no record of a noiseprune network"):
        read(tmp_path / "net.feather")
    for name in ("result.npz", "sweep.json"):
        with pytest.raises(BadFile, match="its JSON is nested too deeply"):
            load(tmp_path / name)
    with pytest.raises(BadFile, match="is no checkpoint of a sweep"):
        sweep(gallery.ring(8, 1), densities=[0.5], checkpoint=tmp_path / "checkpoint", rng=1)


# --- names of files ------------------------------------------------------------------------------------------------

WRITTEN = ("csv", "tsv", "csv.gz", "npz", "npy", "mtx", "mat")


def is_made(folder, name):
    """Whether the file system takes a name of these bytes."""
    try:
        (folder / os.fsdecode(name)).write_bytes(b"x")
    except (OSError, ValueError):
        return False
    return True


@pytest.mark.parametrize("suffix", WRITTEN)
def test_a_file_whose_name_is_no_text_is_written_and_read_or_refused_in_a_line(tmp_path, suffix):
    if os.name == "nt" or not is_made(tmp_path, b"probe\xff"):
        pytest.skip("names are text here")
    path = tmp_path / os.fsdecode(b"bad\xff." + suffix.encode())
    net = Network([[0, 1.0], [2, 0]], 3.0)
    write(net, path)
    assert path.exists()
    if suffix in ("csv", "tsv", "csv.gz"):
        with pytest.raises(BadFile, match="its name, or that of its folder, is not UTF-8: rename it"):
            read(path)
    else:
        assert (read(path).weights != net.weights).nnz == 0


def test_a_table_whose_name_is_no_text_is_read(tmp_path):
    if os.name == "nt" or not is_made(tmp_path, b"probe\xff"):
        pytest.skip("names are text here")
    path = tmp_path / os.fsdecode(b"bad\xff.csv")
    path.write_text("pre,post,weight\na,b,1\nb,a,2\n")
    net = read(path)
    assert edges(net) == {("a", "b"): 1.0, ("b", "a"): 2.0}
    assert net.origin["file"] == "bad\N{REPLACEMENT CHARACTER}.csv"
    write(net, tmp_path / "good.npy")
    assert read(tmp_path / "good.npy").origin == net.origin


@unix
def test_letters_that_the_locale_lacks_are_no_matter(tmp_path):
    (tmp_path / "ünï.csv").write_text("pre,post,weight\na,b,1\nb,a,2\n")
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for target in ("ö.csv", "ö.parquet", "ö.feather"):
        for words in (["convert", "ünï.csv", target], ["inspect", target]):
            done = subprocess.run(
                [sys.executable, "-m", "noiseprune", *words], env=os.environ | plain, cwd=tmp_path, capture_output=True
            )
            assert done.returncode == 0, done.stderr
    assert Path(tmp_path / "ö.feather").exists()


def test_standard_input_is_no_file():
    with pytest.raises(BadFile, match=r"standard input is not read: name a file; known suffixes are \.csv"):
        read("-")
    with pytest.raises(BadFile, match="standard input is not written: name a file"):
        write(Network([[0, 1.0], [2, 0]], 3.0), "-")
