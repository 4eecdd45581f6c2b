"""A disk that is full, as a limit on the size of files says it."""

import contextlib
import signal
import warnings

import pytest

import noiseprune
from noiseprune import gallery
from noiseprune.errors import BadFile, NoisePruneWarning
from noiseprune.sources.files.formats import FORMATS

resource = pytest.importorskip("resource", reason="this system has no limits of POSIX")

NET = gallery.ring(300, 30)
SUFFIXES = [f.suffixes[0] for f in FORMATS if f.writes] + [".csv.gz"]


@contextlib.contextmanager
def full_disk():
    """Let files hold 200 bytes; no longer than a block, since whoever runs the tests writes files as well."""
    before, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def folder_as_it_is(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def results():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoisePruneWarning)
        pruned = noiseprune.prune(NET, density=0.5, probe="exact", compare=False)
        trace = noiseprune.run(gallery.ring(20), until_density=0.5, window=1.0, schedule="once")
        table = noiseprune.sweep(gallery.ring(10), densities=[0.5], draws=2)
    return {"p.npz": pruned, "t.npz": trace, "t.parquet": trace, "s.json": table, "s.csv": table, "s.parquet": table}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_network_that_does_not_fit_leaves_the_old_file_and_nothing_else(tmp_path, suffix):
    path = tmp_path / f"net{suffix}"
    noiseprune.write(gallery.ring(6), path)
    before = folder_as_it_is(tmp_path)
    with full_disk(), pytest.raises(BadFile, match=r"cannot be written: (File too large|\d+ requested and)"):
        noiseprune.write(NET, path, overwrite=True)
    assert folder_as_it_is(tmp_path) == before


def test_results_that_do_not_fit_leave_the_old_file_and_nothing_else(tmp_path):
    saved = results()
    for name in saved:
        (tmp_path / name).write_bytes(b"old")
    before = folder_as_it_is(tmp_path)
    for name, result in saved.items():
        with full_disk(), pytest.raises(BadFile, match="cannot be written: File too large"):
            result.save(tmp_path / name, overwrite=True)
    assert folder_as_it_is(tmp_path) == before


def test_a_checkpoint_that_does_not_fit_ends_with_one_error(tmp_path):
    with full_disk(), pytest.raises(BadFile, match=r"done\.jsonl: cannot be written: File too large"):
        noiseprune.sweep(gallery.ring(10), densities=[0.5], draws=2, checkpoint=tmp_path / "done.jsonl")
    with full_disk(), pytest.raises(BadFile, match=r"run\.npz: cannot be written: File too large"):
        noiseprune.run(gallery.ring(20), until_density=0.5, schedule="once", checkpoint=tmp_path / "run.npz")
    assert list(folder_as_it_is(tmp_path)) == ["done.jsonl"]


def test_a_resumed_sweep_keeps_its_draws_where_the_disk_is_full(tmp_path):
    path = tmp_path / "done.jsonl"
    noiseprune.sweep(gallery.ring(10), densities=[0.5], draws=2, checkpoint=path)
    path.write_text(path.read_text(encoding="utf-8") + '{"cut', encoding="utf-8")
    before = folder_as_it_is(tmp_path)
    with full_disk(), pytest.raises(BadFile, match="cannot be written"):
        noiseprune.sweep(gallery.ring(10), densities=[0.5], draws=2, checkpoint=path)
    assert folder_as_it_is(tmp_path) == before
