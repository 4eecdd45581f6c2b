import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install torch (see the README for its CPU build)")

from noiseprune.torch import InputNoise, IntrinsicNoise
from noiseprune.torch.blocks import blocks_of
from noiseprune.torch.ensembles import SHARE, Ensemble, examples
from noiseprune.torch.moments import Moments, measure
from noiseprune.torch.recurrent import layers_of
from tests.torch import modules


def measured(module: torch.nn.Module, ensemble: Ensemble, *, kind: str = "state") -> Moments:
    layers = layers_of(module, modules.CONTINUOUS)
    blocks = blocks_of(module, layers, include_input=kind == "input")
    return measure(module, layers, blocks, ensemble, torch.Generator().manual_seed(3))["hidden.weight", kind]


def test_moments_of_examples_are_those_of_the_states_that_weights_read():
    module = modules.Continuous().double()
    x = modules.inputs(trials=300).double()  # more than a batch
    read = torch.cat([torch.zeros(1, 300, 24, dtype=torch.float64), module(x)[:-1]]).flatten(0, 1).detach().numpy()
    for kind, samples in (("state", read), ("input", x.flatten(0, 1).numpy())):
        found = measured(module, examples(x, modules.N_INPUTS, batch_first=False), kind=kind)
        assert found.count == 300 * 12
        assert np.allclose(found.mean, samples.mean(axis=0), rtol=0, atol=1e-12)
        assert np.allclose(found.covariance, np.cov(samples.T, bias=True), rtol=0, atol=1e-12)
        assert np.allclose(found.second, samples.T @ samples / len(samples), rtol=0, atol=1e-12)


def test_intrinsic_noise_is_the_silent_run_and_a_share_of_the_fluctuations():
    module = modules.Continuous().double()
    silent = torch.zeros(40, 1, modules.N_INPUTS, dtype=torch.float64)
    run = np.concatenate([np.zeros((1, 24)), module(silent)[:-1, 0].detach().numpy()])
    alone = np.cov(run.T, bias=True)
    added = []
    for std in (1e-4, 1e-2):
        found = measured(module, IntrinsicNoise(std=std, steps=40, trials=300))
        assert np.allclose(found.mean, run.mean(axis=0), rtol=0, atol=1e-12)
        added.append(found.covariance - alone)
        assert np.isclose(np.trace(added[-1]), SHARE * np.trace(alone), rtol=1e-6)
    assert np.allclose(*added, rtol=0, atol=0.02 * np.abs(added[0]).max()), "whatever the standard deviation is"


def test_a_network_that_rests_in_silence_is_judged_by_its_fluctuations():
    module = modules.Continuous().double()
    torch.nn.init.zeros_(module.hidden.bias)
    torch.nn.init.zeros_(module.offset)
    small, large = (measured(module, IntrinsicNoise(std=std, steps=40, trials=300)) for std in (1e-4, 2e-4))
    assert np.all(small.mean == 0)
    assert np.allclose(large.covariance, 4 * small.covariance, rtol=0, atol=1e-3 * np.abs(large.covariance).max())


def test_input_noise_has_the_size_and_the_gates_that_it_says():
    noise = InputNoise(std=2.0, active=3.0, steps=20, trials=3000)
    batches = list(noise.batches(12, torch.Generator().manual_seed(4)))
    assert sum(batch.shape[1] for batch in batches) == 3000
    u = torch.cat(batches, dim=1)
    on = u != 0
    trials_share = on.float().mean(dim=(0, 2))  # independent between trials
    error = float(trials_share.std()) / 3000**0.5
    assert abs(float(trials_share.mean()) - 3 / 12) < 5 * error
    squares = torch.where(on, u, 0.0).square().sum(dim=(0, 2)) / (20 * 12)
    assert abs(float(squares.mean()) - 4 * 3 / 12) < 5 * float(squares.std()) / 3000**0.5
    both = on[:-1] & on[1:]
    moved = (u[1:] != u[:-1]) & both
    assert 0.4 < float(moved.sum() / both.sum()) < 0.6
