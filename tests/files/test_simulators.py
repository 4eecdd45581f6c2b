import importlib.util
import subprocess
import sys

import numpy as np
import pytest
import scipy.linalg

from noiseprune import Network, gallery, write
from noiseprune.dynamics.stationary import stationary_covariance
from noiseprune.errors import BadFile
from noiseprune.sources.files.simulators import STEPS_PER_LEAK_TIME

DURATION = 200.0  # seconds, some 300 leak times


def can_run(simulator):
    """Whether the simulator is there and starts; Brian2's last release for Python 3.11 does not with NumPy 2.4."""
    if importlib.util.find_spec(simulator) is None:
        return False
    return subprocess.run([sys.executable, "-c", f"import {simulator}"], capture_output=True).returncode == 0


@pytest.mark.parametrize(("simulator", "suffix"), [("brian2", ".brian2.py"), ("nest", ".nest.py")])
def test_the_script_runs_and_its_covariance_agrees_with_ours(tmp_path, simulator, suffix):
    """Takes seconds, since the simulator compiles."""
    if not can_run(simulator):
        pytest.skip(f"{simulator} is not installed, or does not start with this NumPy")
    base = gallery.excitatory_inhibitory(10, connection=0.4, rng=3)
    net = Network(base.weights, base.leak * np.linspace(1.3, 2.0, 10), np.linspace(0.5, 1.5, 10))
    write(net, tmp_path / f"net{suffix}")
    done = subprocess.run(
        [sys.executable, tmp_path / f"net{suffix}", str(DURATION)], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert "mean variance" in done.stdout
    found = np.load(tmp_path / f"net{suffix[:-3]}.covariance.npy")
    covariance = stationary_covariance(net)[0]
    # of the trace: Cov(|x(0)|^2, |x(t)|^2) = 2 tr(R R'), R = exp(At) C; the first fifth of the run is left out
    spread = scipy.linalg.solve_continuous_lyapunov(net.matrix().toarray(), -covariance @ covariance)
    standard_error = np.sqrt(4 / (0.8 * DURATION) * np.trace(spread))
    bias = np.trace(covariance) / STEPS_PER_LEAK_TIME
    assert abs(np.trace(found) - np.trace(covariance)) < 5 * standard_error + bias
    # and direction by direction: a matrix taken the wrong way round is far off
    reversed_net = Network(net.weights.T, net.leak, net.noise_std)
    other = stationary_covariance(reversed_net)[0]
    assert np.linalg.norm(found - covariance) < 0.7 * np.linalg.norm(found - other)


@pytest.mark.parametrize("activation", ["linear", "rectified", "tanh"])
@pytest.mark.parametrize("suffix", [".brian2.py", ".nest.py"])
def test_every_activation_gives_a_script_that_compiles_and_its_arrays(tmp_path, suffix, activation):
    net = Network([[0, 2.0, 0], [0, 0, -3], [4, 0, 0]], [5.0, 6.0, 7.0], [1.0, 2.0, 3.0], activation, ["a", "b", "c"])
    write(net, tmp_path / f"net{suffix}")
    compile((tmp_path / f"net{suffix}").read_text(), "script", "exec")
    arrays = np.load(tmp_path / f"net{suffix[:-3]}.npz")
    there = {(i, j): w for i, j, w in zip(*(arrays[name].tolist() for name in "ijw"), strict=True)}
    assert there == {(1, 0): 2.0, (2, 1): -3.0, (0, 2): 4.0}
    assert np.array_equal(arrays["leak"], net.leak)
    assert np.array_equal(arrays["noise_std"], net.noise_std)


def test_a_script_is_not_read_and_its_arrays_are_not_overwritten(tmp_path):
    net = Network([[0, 1.0], [0, 0]], 2.0)
    (tmp_path / "net.brian2.npz").write_bytes(b"mine")
    with pytest.raises(BadFile, match=r"net\.brian2\.npz: exists already"):
        write(net, tmp_path / "net.brian2.py")
    assert not (tmp_path / "net.brian2.py").exists()
    (tmp_path / "net.nest.py").write_text("import nest")
    from noiseprune import read

    with pytest.raises(BadFile, match="NEST script is written and not read"):
        read(tmp_path / "net.nest.py")
