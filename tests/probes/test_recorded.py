import numpy as np
import pytest

from noiseprune import Network, gallery, probes, prune
from noiseprune.dynamics.stationary import stationary_covariance
from noiseprune.errors import BadFile, InvalidOption
from tests.laws import check_probe
from tests.networks import quiet


def activity(net: Network, moments: int, step: float, seed: int) -> np.ndarray:
    """A record of the linear network at equal steps, made exactly: x <- exp(A h) x + noise of covariance C - E C E^T."""
    import scipy.linalg

    A = net.matrix().toarray()
    C = scipy.linalg.solve_continuous_lyapunov(A, -np.diag(net.noise_std**2))
    E = scipy.linalg.expm(A * step)
    root = scipy.linalg.cholesky(C - E @ C @ E.T, lower=True)
    random = np.random.default_rng(seed)
    x = scipy.linalg.cholesky(C, lower=True) @ random.standard_normal(net.n_neurons)
    states = np.empty((moments, net.n_neurons))
    for t in range(moments):
        x = E @ x + root @ random.standard_normal(net.n_neurons)
        states[t] = x
    return states


class OfItsOwnActivity:
    """Recorded, of independent states of whatever network it is given."""

    def measure(self, network, *, rng=0):
        C, _ = stationary_covariance(network)
        root = np.linalg.cholesky(C)
        states = np.random.default_rng(rng).standard_normal((2000, network.n_neurons)) @ root.T
        return probes.Recorded(states).measure(network)


def test_recorded_obeys_the_laws(network):
    check_probe(OfItsOwnActivity(), network)


@pytest.fixture(scope="module")
def net():
    return gallery.excitatory_inhibitory(40, gain=0.7, rng=111)


@pytest.fixture(scope="module")
def record(net):
    return activity(net, 8000, 0.25, 112)


def deviations(net, measured):
    """Errors in units of the standard error that the probe states."""
    return (measured.per_link - probes.Exact().measure(net).per_link) / (measured.relative_error * measured.per_link)


def test_recorded_agrees_with_exact_within_the_error_that_it_states(net, record):
    z = deviations(net, probes.Recorded(record + 100.0).measure(net))
    assert np.max(np.abs(z)) < 6
    assert 0.6 < np.std(z) < 1.5


def test_fluctuations_that_last_count_as_few_samples(net):
    slow, quick = (probes.Recorded(activity(net, 4000, h, 113)).measure(net) for h in (0.02, 2.0))
    assert quick.n_samples > 0.5 * 4000
    assert slow.n_samples < 0.1 * 4000
    assert np.std(deviations(net, slow)) < 2


def test_missing_samples_are_left_out_where_they_are_missing(net, record):
    gaps = record.copy()
    gaps[np.random.default_rng(114).random(gaps.shape) < 0.2] = np.nan
    gaps[:3000, 5] = np.nan
    measured = probes.Recorded(gaps).measure(net)
    assert np.max(np.abs(deviations(net, measured))) < 6
    assert measured.report["missing"] == np.isnan(gaps).sum()
    naive = np.nanvar(gaps[:, net.links.post[0]] - np.sign(net.links.weight[0]) * gaps[:, net.links.pre[0]], ddof=1)
    assert measured.per_link[0] == pytest.approx(naive, rel=0.02)


def test_without_gaps_it_is_the_variance_of_the_difference(net, record):
    post, pre, weight = net.links
    expected = np.var(record[:, post] - np.sign(weight) * record[:, pre], axis=0, ddof=1)
    assert np.allclose(probes.Recorded(record).measure(net).per_link, expected, rtol=1e-10)


def test_files_give_what_the_array_gives(net, record, tmp_path, monkeypatch):
    monkeypatch.setattr("noiseprune.probes.recorded.PIECE_BYTES", 10_000)  # many pieces
    expected = probes.Recorded(record).measure(net).value
    np.save(tmp_path / "activity.npy", record)
    assert np.allclose(probes.Recorded(tmp_path / "activity.npy").measure(net).value, expected, rtol=1e-12)
    h5py = pytest.importorskip("h5py", reason="needs h5py: the extra hdf5")
    with h5py.File(tmp_path / "activity.h5", "w") as file:
        file["session/rates"] = record
    assert np.allclose(probes.Recorded(tmp_path / "activity.h5").measure(net).value, expected, rtol=1e-12)
    with h5py.File(tmp_path / "two.h5", "w") as file:
        file["rates"], file["times"] = record, np.arange(3)
    with pytest.raises(BadFile, match="say which with dataset=; it holds rates, times"):
        probes.Recorded(tmp_path / "two.h5").measure(net)
    found = probes.Recorded(tmp_path / "two.h5", dataset="rates").measure(net)
    assert np.allclose(found.value, expected, rtol=1e-12)


@quiet
def test_prune_takes_a_recording(net, record):
    result = prune(net, density=0.5, probe=probes.Recorded(record), compare=False, rng=115)
    assert result.provenance["chosen"]["probe"].startswith("Recorded (8000 time points of an array")


def test_what_does_not_fit_is_refused_with_what_to_do(net, record, tmp_path):
    with pytest.raises(InvalidOption, match=r"must have shape \(time, 40\).* has \(40, 8000\): transpose it"):
        probes.Recorded(record.T).measure(net)
    with pytest.raises(InvalidOption, match="at least 64 time points"):
        probes.Recorded(record[:50]).measure(net)
    blind = record.copy()
    blind[:, 7] = np.nan
    with pytest.raises(InvalidOption, match="fewer than two samples of 1 neurons .* the first 7"):
        probes.Recorded(blind).measure(net)
    apart = record.copy()
    apart[:4000, ::2] = np.nan
    apart[4000:, 1::2] = np.nan
    with pytest.raises(InvalidOption, match="never seen together"):
        probes.Recorded(apart).measure(net)
    with pytest.raises(InvalidOption, match="infinite"):
        probes.Recorded(np.where(record > 2, np.inf, record)).measure(net)
    with pytest.raises(BadFile, match="no such file"):
        probes.Recorded(tmp_path / "nothing.npy").measure(net)
    (tmp_path / "bad.npy").write_text("not numpy")
    with pytest.raises(BadFile, match="is no NumPy file"):
        probes.Recorded(tmp_path / "bad.npy").measure(net)
    (tmp_path / "activity.csv").write_text("1,2")
    with pytest.raises(BadFile, match=r"read from .npy, .h5 and .hdf5"):
        probes.Recorded(tmp_path / "activity.csv").measure(net)
