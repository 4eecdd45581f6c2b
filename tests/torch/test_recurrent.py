import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install torch (see the README for its CPU build)")

from noiseprune.errors import InvalidNetwork, InvalidOption
from noiseprune.torch import Leaky, Recurrent
from noiseprune.torch.linearisation import operating_points, stationary_moments
from noiseprune.torch.recurrent import layers_of, n_inputs, run, unroll
from tests.torch import modules

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")


@pytest.mark.parametrize("name", modules.SEQUENCES)
def test_layers_run_as_torch_runs_them(name):
    module = modules.SEQUENCES[name]()
    x = modules.inputs()
    expected, last = module(modules.laid_out(module, x))
    layers = layers_of(module)
    sent, states = run(module, layers, x)
    assert torch.allclose(sent, modules.laid_out(module, expected), atol=1e-6)
    hidden = last[0] if isinstance(last, tuple) else last
    found = torch.stack([layer.output(s) for layer, s in zip([d for ds in layers for d in ds], states, strict=True)])
    assert torch.allclose(found, hidden, atol=1e-6)


@pytest.mark.parametrize("name", modules.CELLS)
def test_cells_run_as_torch_runs_them(name):
    cell = modules.CELLS[name]()
    x = modules.inputs()
    sent, _ = run(cell, layers_of(cell), x)
    state = None
    for u, found in zip(x, sent, strict=True):
        state = cell(u, state)
        assert torch.allclose(found, state[0] if isinstance(state, tuple) else state, atol=1e-6)


def test_a_leaky_network_runs_as_its_owner_runs_it():
    module = modules.Continuous()
    x = modules.inputs()
    sent, _ = run(module, layers_of(module, modules.CONTINUOUS), x)
    assert torch.allclose(sent, module(x), atol=1e-6)
    assert n_inputs(module, layers_of(module, modules.CONTINUOUS)) == modules.N_INPUTS


def test_a_step_of_ones_own_is_enough():
    module = modules.Continuous()
    own = Recurrent(
        weight="hidden.weight",
        input="entry.weight",
        bias=["hidden.bias", "offset"],
        step=lambda v, recurrent, external: 0.8 * v + 0.2 * (recurrent + external),
        output=torch.tanh,
    )
    x = modules.inputs()
    assert torch.equal(*(run(module, layers_of(module, one), x)[0] for one in (own, modules.CONTINUOUS)))


def test_own_noise_is_taken_off_what_is_observed():
    # without recurrent weights neurons share nothing, so nothing of the noise must be seen
    module = modules.Continuous()
    torch.nn.init.zeros_(module.hidden.weight)
    quiet, noisy = [], []
    for std, seen in ((0.0, quiet), (0.3, noisy)):
        generator = torch.Generator().manual_seed(5)
        sent, _ = unroll(
            module,
            modules.CONTINUOUS,
            modules.inputs(),
            noise_std=std,
            generator=generator,
            observe=lambda f, _, seen=seen: seen.append(f),
        )
    assert torch.allclose(torch.stack(quiet), torch.stack(noisy), atol=1e-6)
    assert not torch.allclose(sent, module(modules.inputs()), atol=0.1)


def test_moments_of_the_linearisation_are_those_of_long_runs():
    """Small noise: the shared covariance by the Lyapunov equation against a simulation, in standard errors."""
    module = modules.Continuous(n=6).double()
    std, trials = 1e-3, 4000
    found = stationary_moments(module, layers_of(module, modules.CONTINUOUS), std)["hidden.weight", "state"]
    last = []
    with torch.no_grad():
        unroll(
            module,
            modules.CONTINUOUS,
            torch.zeros(150, trials, modules.N_INPUTS, dtype=torch.float64),
            noise_std=std,
            generator=torch.Generator().manual_seed(6),
            observe=lambda f, _: last.append(f),
        )
    simulated = torch.cov(last[-1].T).numpy()
    variance = found.covariance.diagonal()
    error = ((variance[:, None] * variance + found.covariance**2) / trials) ** 0.5
    assert (abs(simulated - found.covariance) < 5 * error).all()


def test_the_jacobian_of_a_leaky_network_is_the_textbook_one():
    module = modules.Continuous(n=6).double()
    ((_, state, step),) = operating_points(module, layers_of(module, modules.CONTINUOUS))
    gain = 1 - torch.tanh(state) ** 2
    expected = 0.8 * torch.eye(6) + 0.2 * module.hidden.weight * gain
    assert torch.allclose(torch.as_tensor(step), expected.detach(), atol=1e-12)


def test_what_cannot_be_understood_is_refused_with_advice():
    with pytest.raises(InvalidNetwork, match=r"got Linear.*model\.rnn.*recurrent=Leaky"):
        layers_of(torch.nn.Linear(2, 2))
    with pytest.raises(
        InvalidNetwork, match=r"Continuous has no parameter 'W'; its parameters are offset, hidden\.weight"
    ):
        layers_of(modules.Continuous(), Leaky("W", alpha=0.1))
    with pytest.raises(InvalidOption, match="alpha.*above 0 and at most 1; got 1.5"):
        Leaky("W", alpha=1.5)
