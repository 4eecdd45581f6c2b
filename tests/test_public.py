import subprocess
import sys

import numpy as np
import pytest
import typer

import noiseprune
from noiseprune import errors, gallery
from noiseprune.cli import app
from tests.networks import quiet


def test_every_public_name_is_there_and_no_other():
    assert set(noiseprune.__all__) <= {name for name in dir(noiseprune) if getattr(noiseprune, name) is not None}
    with pytest.raises(AttributeError, match="no attribute 'prun'"):
        noiseprune.prun  # noqa: B018


def test_import_loads_nothing_heavy():
    code = "import sys; before = set(sys.modules); import noiseprune; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8")
    assert {name.partition(".")[0] for name in done.stdout.split()} - sys.stdlib_module_names == {"noiseprune"}


def test_plots_are_there_after_importing_the_package_alone():
    code = "import noiseprune; print(noiseprune.plots.spectrum.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8")
    assert done.stdout == "spectrum\n", done.stderr


def test_without_torch_the_package_works_and_says_how_to_get_it():
    code = (
        "import sys; sys.modules['torch'] = None; import noiseprune\n"
        "assert noiseprune.gallery.ring(6).n_neurons == 6\n"
        "try:\n    import noiseprune.torch\nexcept noiseprune.NoisePruneError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True)
    assert "pip install torch --index-url https://download.pytorch.org/whl/cpu" in done.stdout


def test_the_package_does_not_load_torch():
    code = "import sys, noiseprune; noiseprune.prune(noiseprune.gallery.ring(6), density=0.5); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True)
    assert done.stdout == "False\n"


def test_errors_are_ours_and_builtin():
    leaves = [
        (errors.InvalidNetwork, ValueError),
        (errors.UnstableNetwork, ValueError),
        (errors.InvalidOption, ValueError),
        (errors.BadFile, ValueError),
        (errors.TooLarge, MemoryError),
        (errors.DidNotConverge, RuntimeError),
        (errors.MissingExtra, ImportError),
    ]
    for leaf, builtin in leaves:
        assert issubclass(leaf, noiseprune.NoisePruneError)
        assert issubclass(leaf, builtin)


def test_representations_are_one_line():
    net = gallery.ring(6)
    result = noiseprune.prune(net, density=1.0)
    for thing in (net, result):
        assert "\n" not in repr(thing)
    assert "12 of 12 synapses kept, rule noise" in repr(result)


@quiet
def test_the_names_of_the_first_release_still_work():
    net = gallery.clustered([12, 8], within=0.7, between=6, signed=True, rng=3)
    result = noiseprune.prune(net, density=0.7, strengthen="matched", leak="free", keep_connected=True)
    assert result.provenance["chosen"]["leak"] == "fitted"
    assert result.comparison.orphans == result.comparison.newly_disconnected == result.comparison.to_dict()["orphans"]
    assert np.array_equal(net.excess_leak, net.dominance_margin)
    assert noiseprune.Trace is noiseprune.Development
    assert noiseprune.probes.DifferenceVariance is noiseprune.probes.Measurement
    table = noiseprune.sweep(net, densities=[0.7], strengthens=["reciprocal"], draws=1)
    assert [row["strengthen"] for row in table.rows] == ["reciprocal"]
    trace = noiseprune.run(net, until_density=0.9, schedule="continuous", window=5.0, rate=1.0)
    assert trace.density[-1] <= 0.9


@pytest.mark.parametrize("old, new", [("--rate", "--decision-rate"), ("--symmetric-rows", "--electrical")])
def test_the_options_of_the_first_release_still_work(old, new):
    flags = {
        flag for command in typer.main.get_command(app).commands.values() for it in command.params for flag in it.opts
    }
    assert {old, new} <= flags
