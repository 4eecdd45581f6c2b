import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install torch (see the README for its CPU build)")

from noiseprune.errors import InvalidNetwork, InvalidOption, UnstableNetwork
from noiseprune.torch import InputNoise, IntrinsicNoise, evaluate, prune_
from tests.torch import modules

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")

ALL = modules.SEQUENCES | modules.CELLS
N = 16


def gates(weight: torch.Tensor) -> list[torch.Tensor]:
    return list(weight.detach().split(N))


@pytest.mark.parametrize("strengthen", ["regressed", "staged", "reciprocal"])
@pytest.mark.parametrize("name", [name for name in ALL if "projected" not in name])
def test_every_gate_has_its_exact_density_and_its_diagonal(name, strengthen):
    module = ALL[name]()
    before = copy.deepcopy(module)
    info = prune_(module, 0.2, noise="input", strengthen=strengthen, rng=3)
    target = round(0.2 * N * (N - 1))
    recurrent = [n for n, _ in module.named_parameters() if n.startswith("weight_hh")]
    assert list(info["masks"]) == list(info["densities"]) == recurrent
    for path in recurrent:
        for old, new, mask in zip(
            *(gates(t) for t in (getattr(before, path), getattr(module, path), info["masks"][path])), strict=True
        ):
            assert torch.equal(old.diagonal(), new.diagonal())
            assert int(torch.count_nonzero(new - torch.diag(new.diagonal()))) == target
            assert torch.equal(new != 0, mask)
        assert info["densities"][path] == target / (N * (N - 1))
    assert info["density"] == target / (N * (N - 1))
    assert all(error.shape == (N,) and np.isfinite(error).all() for error in info["drive_error"].values())
    assert set(info["spectral_abscissa"]) == {"before", "after"}
    assert info["seed"] == 3 and info["seconds"] > 0


def test_input_matrices_and_projected_ones_are_pruned_on_request():
    module = modules.SEQUENCES["lstm projected"]()
    info = prune_(module, 0.5, inputs=modules.inputs(), strengthen="staged", include_input=True)
    assert set(info["masks"]) == {f"weight_{kind}_l{k}" for kind in ("ih", "hh") for k in (0, 1)}
    for path, mask in info["masks"].items():
        assert [int(m.sum()) for m in gates(mask)] == [mask.numel() // 8] * 4, path
    with pytest.raises(InvalidOption, match=r"different populations: take strengthen='staged'"):
        prune_(modules.SEQUENCES["lstm projected"](), 0.5, noise="input")


def test_somebodys_own_network_is_pruned_and_its_last_bias_corrected():
    module = modules.Continuous()
    before = copy.deepcopy(module)
    x = modules.inputs()
    prune_(module, 0.5, inputs=x, strengthen="staged", recurrent=modules.CONTINUOUS)
    assert torch.equal(module.hidden.bias, before.hidden.bias)
    assert not torch.equal(module.offset, before.offset)
    refitted = evaluate(module, before, x, recurrent=modules.CONTINUOUS)["output_drift"]
    left = copy.deepcopy(before)
    prune_(left, 0.5, inputs=x, rule="magnitude", strengthen="none", recurrent=modules.CONTINUOUS)
    assert refitted < 0.5 * evaluate(left, before, x, recurrent=modules.CONTINUOUS)["output_drift"]


@pytest.mark.parametrize("name", ["tanh", "gru", "lstm"])
def test_everything_kept_changes_nothing(name):
    module = modules.SEQUENCES[name]()
    before = copy.deepcopy(module)
    for strengthen in ("regressed", "staged"):
        prune_(module, 1.0, noise="input", strengthen=strengthen)
    for old, new in zip(before.parameters(), module.parameters(), strict=True):
        assert torch.allclose(old, new, atol=1e-5)


def test_the_drive_error_is_that_of_the_drive():
    """What `info` says from moments, against the drives themselves on the ensemble."""
    module = modules.made(torch.nn.RNN(modules.N_INPUTS, N), 51).double()
    before = copy.deepcopy(module)
    x = modules.inputs().double()
    info = prune_(module, 0.3, inputs=x, strengthen="staged")
    with torch.no_grad():
        h = torch.cat([torch.zeros(1, x.shape[1], N, dtype=torch.float64), before(x)[0][:-1]]).flatten(0, 1)
        drive = h @ before.weight_hh_l0.T + before.bias_hh_l0
        error = h @ module.weight_hh_l0.T + module.bias_hh_l0 - drive
    assert error.mean(dim=0).abs().max() < 1e-12
    expected = error.std(dim=0, correction=0) / drive.std(dim=0, correction=0)
    assert np.allclose(info["drive_error"]["weight_hh_l0"], expected.numpy(), rtol=1e-6)


def test_every_gate_of_a_gru_is_the_least_squares_fit_of_its_own_drive():
    """The new gate's too: of W_hn h + b_hn, before the reset gate multiplies it."""
    gru = modules.made(torch.nn.GRU(modules.N_INPUTS, N), 52).double()
    before = copy.deepcopy(gru)
    x = modules.inputs().double()
    prune_(gru, 0.3, inputs=x, strengthen="staged", ridge=1e-13)
    with torch.no_grad():
        h = torch.cat([torch.zeros(1, x.shape[1], N, dtype=torch.float64), before(x)[0][:-1]]).flatten(0, 1).numpy()
        new, old = ((m.weight_hh_l0.numpy(), m.bias_hh_l0.numpy()) for m in (gru, before))
    for row, (w, bias, aim, offset) in enumerate(zip(*new, *old, strict=True)):
        own = row % N
        kept = np.flatnonzero((w != 0) & (np.arange(N) != own))
        drive = h @ aim + offset - h[:, own] * aim[own]
        design = np.column_stack([h[:, kept], np.ones(len(h))])
        assert np.allclose([*w[kept], bias], np.linalg.lstsq(design, drive, rcond=None)[0], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("options", [{}, {"strengthen": "staged"}, {"draw": "independent"}, {"draw": "fixed"}], ids=str)
def test_the_seed_decides_and_the_global_generator_is_left_alone(options):
    pruned = []
    for seed in (1, 1, np.random.default_rng(1), np.random.default_rng(1), 2):
        module = modules.SEQUENCES["gru"]()
        state = torch.get_rng_state()
        info = prune_(module, 0.3, noise="input", rng=seed, **options)
        assert torch.equal(torch.get_rng_state(), state)
        pruned.append(module.weight_hh_l0.detach())
    assert torch.allclose(pruned[0], pruned[1], rtol=0, atol=1e-12)
    assert torch.allclose(pruned[2], pruned[3], rtol=0, atol=1e-12)
    assert not torch.equal(pruned[0], pruned[4])
    again = modules.SEQUENCES["gru"]()
    prune_(again, 0.3, noise="input", rng=info["seed"], **options)
    assert torch.allclose(again.weight_hh_l0, pruned[4], rtol=0, atol=1e-12)


def test_a_pruned_network_can_be_pruned_again():
    module = modules.SEQUENCES["lstm"]()
    first = prune_(module, 0.5, noise="input")
    second = prune_(module, 0.2, noise="input", strengthen="staged")
    for path, mask in second["masks"].items():
        assert not (mask & ~first["masks"][path]).any(), "what was pruned stays pruned"
    with pytest.raises(InvalidOption, match=r"density=0\.5 asks for .* it is pruned already"):
        prune_(module, 0.5, noise="input")


@pytest.mark.parametrize(
    "noise", ["intrinsic", IntrinsicNoise(0.01, covariance="lyapunov"), InputNoise(std=0.3, trials=40)], ids=str
)
def test_all_noises_and_rules_prune(noise):
    for rule, draw in [
        ("noise", "topk"),
        ("noise", "fixed"),
        ("magnitude", "topk"),
        ("weight", "fixed"),
        ("uniform", "fixed"),
    ]:
        for strengthen in ("regressed", "reciprocal", "none"):
            module = modules.SEQUENCES["gru"]()
            info = prune_(module, 0.3, noise=noise, rule=rule, draw=draw, strengthen=strengthen)
            assert info["density"] == round(0.3 * N * (N - 1)) / (N * (N - 1))
            assert info["selection"] == f"{rule}, {draw}"


def test_options_that_make_no_sense_are_refused():
    gru = modules.SEQUENCES["gru"]()
    x = modules.inputs()
    for options, message in [
        ({}, "exactly one of noise"),
        ({"noise": "input", "inputs": x}, "exactly one of noise"),
        ({"noise": "output"}, "noise must be one of intrinsic, input; got 'output'"),
        ({"noise": 0.1}, r"noise must be .*IntrinsicNoise"),
        ({"inputs": x[..., :2]}, r"inputs must be a tensor \(T, trials, 3\).*got \(12, 40, 2\)"),
        ({"inputs": x.numpy()}, "inputs must be a tensor.*got ndarray"),
        ({"inputs": x * np.nan}, "all numbers finite"),
        ({"noise": "input", "strengthen": "staged", "rule": "magnitude"}, "chooses by itself"),
        ({"noise": "input", "rule": "magnitude", "draw": "fixed"}, "nothing to draw"),
        ({"noise": "input", "cap": 0.5}, "cap is a quantile"),
        ({"noise": "input", "ridge": 0.0}, "ridge must be positive"),
        ({"noise": "input", "form": "csr"}, "form must be one of baked, hook"),
        ({"noise": "intrinsic", "include_input": True}, "leaves the inputs silent"),
    ]:
        with pytest.raises(InvalidOption, match=message):
            prune_(gru, 0.2, **options)
    for density in (0, 1.5, True, "0.2"):
        with pytest.raises(InvalidOption, match="density, the kept share"):
            prune_(gru, density, noise="input")
    with pytest.raises(InvalidOption, match="std must be positive"):
        IntrinsicNoise(std=-1.0)
    assert all(
        torch.equal(a, b) for a, b in zip(gru.parameters(), modules.SEQUENCES["gru"]().parameters(), strict=True)
    )


def test_networks_that_cannot_be_pruned_are_refused():
    wild = modules.made(torch.nn.RNN(modules.N_INPUTS, N, nonlinearity="relu"), 53)
    with torch.no_grad():
        wild.weight_hh_l0.mul_(40)
    with pytest.raises(InvalidNetwork, match="does not stay finite"):
        prune_(wild, 0.2, noise=InputNoise(steps=200))
    strong = modules.made(torch.nn.RNN(modules.N_INPUTS, N), 54)
    with torch.no_grad():
        strong.weight_hh_l0.copy_(torch.eye(N) * 1.5)
        strong.bias_hh_l0.zero_()
        strong.bias_ih_l0.zero_()
    with pytest.raises(UnstableNetwork, match=r"spectral radius of one step 1\.5, must be below 1"):
        prune_(strong, 0.2, noise=IntrinsicNoise(covariance="lyapunov"))
    broken = modules.SEQUENCES["tanh"]()
    with torch.no_grad():
        broken.weight_hh_l0[0, 1] = float("nan")
    with pytest.raises(InvalidNetwork, match="weight_hh_l0 holds NaN"):
        prune_(broken, 0.2, noise="input")
