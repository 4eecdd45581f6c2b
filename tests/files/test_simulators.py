import importlib.util
import subprocess
import sys

import numpy as np
import pytest
import scipy.linalg

from noiseprune import Network, gallery, write
from noiseprune.dynamics.stationary import stationary_covariance
from noiseprune.errors import BadFile
from noiseprune.sources.files.simulators import LEAK_TIMES, STEPS_PER_LEAK_TIME, _times

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


def numbers_of_nest(network):
    """Resolution, time constants and duration of the script, as NEST gets them."""
    times = _times(network)
    resolution = round(times["ms"] * times["dt"], 3)
    return (
        resolution,
        times["ms"] / network.leak,
        resolution * max(1, round(times["ms"] * times["duration"] / resolution)),
    )


@pytest.mark.parametrize("exponent", [-250, -30, -9, -5, -2, 0, 1, 3, 4.4, 6, 30, 250])
def test_nest_can_count_the_steps_of_any_leak(exponent):
    for seed in range(40):
        leak = 10.0**exponent * np.random.default_rng(seed).uniform(0.1, 10, 3)
        resolution, tau, duration = numbers_of_nest(Network(np.zeros((3, 3)), leak))
        tics = resolution * 1000  # of 0.001 ms, NEST's smallest time
        assert tics >= 1 - 1e-9
        assert abs(tics - round(tics)) < 1e-6
        assert abs(duration / resolution - round(duration / resolution)) < 1e-6
        assert duration * 1000 < 2**62
        assert resolution == pytest.approx(tau.min() / STEPS_PER_LEAK_TIME, rel=0.51)
        assert duration == pytest.approx(LEAK_TIMES * np.median(tau), rel=0.05)


def test_nest_counts_in_milliseconds_where_it_can():
    assert {_times(gallery.ring(6, excess=excess))["ms"] for excess in (1e-3, 1, 1e4)} == {1000}


@pytest.mark.parametrize("leak", [3.0, 8.0, 1e-12, 2e6])
def test_the_script_for_nest_runs_for_its_own_duration(tmp_path, leak):
    """NEST starts and runs, some seconds."""
    if not can_run("nest"):
        pytest.skip("nest is not installed, or does not start with this NumPy")
    write(Network([[0, leak / 2], [leak / 2, 0]], leak, leak**0.5), tmp_path / "net.nest.py")
    done = subprocess.run([sys.executable, "net.nest.py"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = np.load(tmp_path / "net.nest.covariance.npy")
    assert np.trace(found) / 2 == pytest.approx(2 / 3, rel=0.4)  # of A C + C A^T = -leak, over 400 leak times


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
