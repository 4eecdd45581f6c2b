import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl
import psutil
import pytest
import scipy.sparse as sp
from threadpoolctl import ThreadpoolController

import noiseprune
from noiseprune import gallery
from noiseprune.errors import BadFile, InvalidOption, NoisePruneWarning
from noiseprune.linalg.blocks import products
from noiseprune.machine import processes, threads
from noiseprune.sources.files.formats import FORMATS

FORKS = "fork" in multiprocessing.get_all_start_methods()
forking = pytest.mark.skipif(not FORKS, reason="this system does not fork")
SUFFIXES = [f.suffixes[0] for f in FORMATS if f.reads and f.writes]


def in_child(work, *given, seconds=120):
    """What a function returns, or raises, in a process that is forked from this one; fails where it hangs or is killed."""
    context = multiprocessing.get_context("fork")
    mine, its = context.Pipe(duplex=False)

    def answer():
        try:
            its.send(("returned", work(*given)))
        except Exception as error:
            its.send(("raised", error))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 and later warn of such a fork
        child = context.Process(target=answer, daemon=True)
        child.start()
    its.close()
    try:
        assert mine.poll(seconds), "the child hangs"
        how, what = mine.recv()
    finally:
        child.kill()
    if how == "raised":
        raise what
    return what


def run_script(text, *arguments, folder, **options):
    (folder / "script.py").write_text(text, encoding="utf-8")
    return subprocess.run(
        [sys.executable, *(arguments or ["script.py"])],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=60,
        **options,
    )


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """Polars and numba with all their threads, as after a first table and a first large network."""
    pl.DataFrame({"a": range(1000)}).lazy().filter(pl.col("a") > 1).collect()
    products(sp.eye_array(10, format="csr"))(np.ones((10, 1)))


# --- forks ------------------------------------------------------------------------------------------------------------


@forking
def test_a_forked_process_computes_the_same_bits_on_one_thread(started):
    """The loops are compiled once more, for one thread, where they are not in numba's cache."""
    rng = np.random.default_rng(1)
    matrix = sp.random_array((3000, 3000), density=0.01, rng=rng, format="csr")
    x = rng.standard_normal((3000, 5))
    assert np.array_equal(in_child(products(matrix), x), products(matrix)(x))


@forking
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_forked_process_reads_and_writes_every_format(started, tmp_path, suffix):
    """A fresh interpreter starts for tables, a second each time."""
    net = gallery.excitatory_inhibitory(12, rng=4)

    def there_and_back():
        noiseprune.write(net, tmp_path / f"net{suffix}")
        return noiseprune.read(tmp_path / f"net{suffix}")

    found = in_child(there_and_back)
    assert np.array_equal(found.matrix().toarray(), net.matrix().toarray())


@forking
def test_a_forked_process_warns_and_refuses_as_any_other(started, tmp_path):
    """Two fresh interpreters start, a second each."""
    (tmp_path / "bad.csv").write_text("pre,post,weight\na,b,1\nb,a,x\n")
    with pytest.raises(BadFile, match=r"bad\.csv: line 3"):
        in_child(noiseprune.read, tmp_path / "bad.csv")
    nearly = np.array([[-2, 1], [1 + 1e-9, -2]])
    np.savetxt(tmp_path / "nearly.csv", nearly, delimiter=",")

    def caught():
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            noiseprune.read(tmp_path / "nearly.csv", orientation="post-pre")
        return [str(w.message) for w in said if w.category is NoisePruneWarning]

    assert any("nearly symmetric" in text for text in in_child(caught))


@forking
def test_a_forked_process_saves_tables(started, tmp_path):
    """A fresh interpreter starts, a second."""
    table = noiseprune.sweep(gallery.ring(10), densities=[0.9], draws=2)
    in_child(table.save, tmp_path / "t.parquet")
    assert pl.read_parquet(tmp_path / "t.parquet").height == 1


@forking
def test_a_frame_in_a_forked_process_is_refused_at_once(started):
    edges = pl.DataFrame({"pre": [0, 1, 2], "post": [1, 2, 0]})
    square = pl.DataFrame({"a": [-1.0, 0.5], "b": [0.5, -1.0]})
    for frame in (edges, edges.head(2), square):
        with pytest.raises(InvalidOption, match=r'forked from one that had loaded polars: .*get_context\("spawn"\)'):
            in_child(noiseprune.prune, frame, seconds=20)


@forking
def test_a_fresh_interpreter_that_fails_is_said(started, tmp_path, monkeypatch):
    (tmp_path / "net.csv").write_text("pre,post,weight\na,b,1\nb,a,2\n")
    monkeypatch.setattr(processes, "PROGRAM", "raise SystemExit('no room')")
    with pytest.raises(InvalidOption, match=r"ended with status 1 \(no room\): start processes with"):
        in_child(noiseprune.read, tmp_path / "net.csv")


# --- threads ----------------------------------------------------------------------------------------------------------

PRODUCTS = """
from concurrent.futures import ThreadPoolExecutor
import numba
import numpy as np
import scipy.sparse as sp
from noiseprune.linalg.blocks import products
product = products(sp.random_array((2000, 2000), density=0.01, rng=np.random.default_rng(1), format="csr"))
def repeated(seed):
    x = np.random.default_rng(seed).standard_normal((2000, 4))
    for _ in range(100):
        x = product(x)
    return x
alone = [repeated(seed) for seed in range(4)]
with ThreadPoolExecutor(3) as pool:
    together = list(pool.map(repeated, range(4)))
print(numba.threading_layer(), all(map(np.array_equal, alone, together)))
"""


@pytest.mark.parametrize("layer", ["workqueue", "default"])
def test_threads_run_parallel_loops_at_once_with_the_same_bits_on_every_layer_of_numba(tmp_path, layer):
    """A process starts for each layer, some seconds."""
    done = run_script(PRODUCTS, folder=tmp_path, env=os.environ | {"NUMBA_THREADING_LAYER": layer})
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[1] == "True"
    assert layer == "default" or done.stdout.split()[0] == layer


def blas_threads():
    return {lib.num_threads for lib in ThreadpoolController().select(user_api="blas").lib_controllers}


def test_limits_of_several_threads_hold_together_and_end_together():
    before, first_in, second_in, first_out = blas_threads(), *(threading.Event() for _ in range(3))

    def first():
        with threads.limit_threads(2):
            first_in.set()
            assert second_in.wait(60)
        first_out.set()

    def second():
        assert first_in.wait(60)
        with threads.blas_alone():
            second_in.set()
            assert first_out.wait(60)
            return blas_threads()

    with ThreadPoolExecutor(2) as pool:
        found = pool.submit(second)
        pool.submit(first).result()
        assert found.result() == {1}
    assert blas_threads() == before


def test_a_limit_on_our_kernels_is_each_threads_own():
    import numba

    from noiseprune.linalg import kernels  # noqa: F401 - starts numba's threads

    most = numba.get_num_threads()
    inside = threading.Event()
    asked = threading.Event()

    def limit():
        with threads.limit_threads(1):
            inside.set()
            asked.wait()
            return numba.get_num_threads()

    with ThreadPoolExecutor(1) as pool:
        limited = pool.submit(limit)
        inside.wait()
        threads.limit_kernels()
        assert numba.get_num_threads() == most
        asked.set()
        assert limited.result() == 1


# --- workers ----------------------------------------------------------------------------------------------------------

UNGUARDED = "import noiseprune\nprint(noiseprune.sweep(noiseprune.gallery.ring(12), densities=[0.8, 0.9], draws=2, workers=2))\n"


def test_a_script_without_a_main_guard_is_told_of_it_once(tmp_path):
    """Processes start, some seconds."""
    done = run_script(UNGUARDED, folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.count("Traceback") == 1
    last = done.stderr.splitlines()[-1]
    assert "InvalidOption: workers=2: the processes could not import this script" in last
    assert 'if __name__ == "__main__":` (the main guard), or give workers=1' in last


def test_a_program_from_standard_input_is_told_to_become_a_file(tmp_path):
    """A process starts, some seconds."""
    done = run_script(UNGUARDED, "-", folder=tmp_path, input=UNGUARDED)
    assert done.stderr.count("Traceback") == 1
    assert "a program read from <stdin> cannot start others: save it as a file" in done.stderr.splitlines()[-1]


@forking
def test_a_process_of_a_pool_is_told_that_it_may_not_start_workers():
    with pytest.raises(InvalidOption, match=r"process of a multiprocessing.Pool may not start others: give workers=1"):
        in_child(lambda: noiseprune.sweep(gallery.ring(12), densities=[0.8, 0.9], draws=2, workers=2))


def sweeping(tmp_path):
    """A command with two workers at work, and all its processes."""
    noiseprune.write(gallery.clustered([150, 150], between=150, rng=1), tmp_path / "net.npz")
    words = [
        "sweep",
        "net.npz",
        "--density",
        ".3,.6",
        "--draws",
        "400",
        "--workers",
        "2",
        "--checkpoint",
        "done.jsonl",
        "-o",
        "t.json",
    ]
    command = subprocess.Popen(
        [sys.executable, "-m", "noiseprune", *words],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while not (tmp_path / "done.jsonl").exists() or len((tmp_path / "done.jsonl").read_text().splitlines()) < 3:
        assert time.monotonic() < until
        time.sleep(0.05)
    return command, psutil.Process(command.pid).children(recursive=True)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -15), (9, -9)])
def test_workers_end_with_the_process_that_started_them(tmp_path, number, code):
    """Processes start, some seconds."""
    command, others = sweeping(tmp_path)
    assert len(others) >= 2
    if number == signal.SIGINT:
        os.killpg(command.pid, number)  # as a terminal does
    else:
        command.send_signal(number)
    said = command.communicate(timeout=30)[1]
    assert command.returncode == code
    assert "Traceback" not in said
    assert not psutil.wait_procs(others, timeout=10)[1]
    assert not (tmp_path / "t.json").exists()


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_worker_that_is_killed_ends_the_sweep_with_advice(tmp_path):
    """Processes start, some seconds."""
    command, others = sweeping(tmp_path)
    next(p for p in others if "spawn_main" in " ".join(p.cmdline())).kill()
    said = command.communicate(timeout=30)[1]
    assert command.returncode == 2
    assert said == (
        "noiseprune: a worker process was ended from outside, most often because memory ran out: give fewer workers\n"
    )
    assert not psutil.wait_procs(others, timeout=10)[1]
