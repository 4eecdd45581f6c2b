"""What is not what it seems: subclasses, hooks, half precision, tensors without numbers, one neuron, no input."""

import copy
import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install torch (see the README for its CPU build)")
from torch import nn
from torch.nn.utils import parametrize, prune

from noiseprune.errors import InvalidNetwork, InvalidOption
from noiseprune.torch import (
    InputNoise,
    IntrinsicNoise,
    Leaky,
    MaskKeeper,
    NoisePrune,
    evaluate,
    load_sparse,
    prune_,
    save_sparse,
    to_sparse,
)
from noiseprune.torch.recurrent import layers_of
from tests.torch import modules

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
NOISE = InputNoise(steps=6, trials=20)
ALL = modules.SEQUENCES | modules.CELLS
KINDS = [nn.RNN, nn.GRU, nn.LSTM, nn.RNNCell, nn.GRUCell, nn.LSTMCell]


def everything(module: nn.Module, reference: nn.Module):
    """All that measures a module."""
    return [
        lambda: prune_(module, 0.3, noise=NOISE),
        lambda: evaluate(module, reference, modules.inputs()),
        lambda: evaluate(reference, module, modules.inputs()),
        lambda: to_sparse(module),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_subclasses_with_a_forward_of_their_own_are_refused(kind):
    class Scaled(kind):
        def forward(self, x, hx=None):
            return super().forward(3 * x, hx)

    class Patient(kind):
        rounds = 3

    plain = modules.made(kind(3, 8), 81)
    for work in everything(modules.made(Scaled(3, 8), 81), plain):
        with pytest.raises(
            InvalidNetwork, match=rf"takes nn\.{kind.__name__} as it is; Scaled \(.*\) overrides forward"
        ):
            work()
    patched = modules.made(kind(3, 8), 81)
    patched.forward = lambda x: x
    for work in everything(patched, plain):
        with pytest.raises(InvalidNetwork, match="overrides forward"):
            work()
    assert evaluate(modules.made(Patient(3, 8), 81), plain, modules.inputs())["output_drift"] == 0
    assert prune_(modules.made(Patient(3, 8), 81), 0.5, noise=NOISE)["density"] == 0.5


def test_relatives_of_torchs_modules_are_not_taken_for_them():
    class Mine(nn.RNNCellBase):
        def __init__(self) -> None:
            super().__init__(3, 8, bias=True, num_chunks=1)

    class Mixed(nn.LSTM):
        def permute_hidden(self, hx, permutation):
            return hx

    with pytest.raises(
        InvalidNetwork, match=r"got Mine \(tests\.torch\.test_refused\..*Mine\)\. Give the recurrent part"
    ):
        layers_of(Mine())
    with pytest.raises(InvalidNetwork, match="overrides permute_hidden"):
        layers_of(Mixed(3, 8))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_modules_made_from_others_are_refused_with_advice():
    scripted = torch.jit.script(nn.GRU(3, 8))
    with pytest.raises(InvalidNetwork, match=r"got RecursiveScriptModule \(torch\.jit\..*prune first, then script"):
        prune_(scripted, 0.3, noise=NOISE)
    compiled = nn.ModuleDict({"_orig_mod": nn.GRU(3, 8)})  # as torch.compile wraps it
    with pytest.raises(InvalidNetwork, match=r"got ModuleDict.*the one it was made from"):
        prune_(compiled, 0.3, noise=NOISE)
    quantised = type("LSTM", (nn.Module,), {"__module__": "torch.ao.nn.quantized.dynamic.modules.rnn"})()
    with pytest.raises(InvalidNetwork, match=r"got LSTM \(torch\.ao\.nn\.quantized.*prune first, then quantise"):
        prune_(quantised, 0.3, noise=NOISE)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRUCell])
def test_hooks_that_watch_are_let_be_and_hooks_that_change_are_refused(kind):
    def tripled(_, args):
        return (3 * args[0], *args[1:])

    def tripled_in_place(_, args):
        args[0].mul_(3)

    def clipped(_, __, out):
        return tuple(clipped(_, __, one) for one in out) if isinstance(out, tuple) else out.clamp(-0.01, 0.01)

    plain = modules.made(kind(3, 8), 82)
    for pre, hook in ((True, tripled), (True, tripled_in_place), (False, clipped)):
        module = modules.made(kind(3, 8), 82)
        handle = module.register_forward_pre_hook(hook) if pre else module.register_forward_hook(hook)
        for work in everything(module, plain):
            with pytest.raises(
                InvalidNetwork, match=rf"a forward hook of {kind.__name__} .*changes.*{hook.__name__}.*handle\.remove"
            ):
                work()
        handle.remove()
        assert evaluate(module, plain, modules.inputs())["output_drift"] == 0
    seen = []
    module = modules.made(kind(3, 8), 82).train()
    module.register_forward_hook(lambda _, __, out: seen.append(out))
    assert evaluate(module, plain, modules.inputs())["output_drift"] == 0
    assert module.training and len(seen) == 1
    prune_(module, 0.3, noise=NOISE)


def test_what_a_pruning_hook_left_before_a_step_of_training_is_not_what_is_measured():
    module = modules.SEQUENCES["tanh"]()
    prune.l1_unstructured(module, "weight_hh_l0", amount=0.5)
    with torch.no_grad():
        module.weight_hh_l0_orig.mul_(0.5)  # as an optimizer does; weight_hh_l0 is old until the next forward pass
    baked = modules.SEQUENCES["tanh"]()
    with torch.no_grad():
        baked.weight_hh_l0.copy_(module.weight_hh_l0_orig * module.weight_hh_l0_mask)
    assert evaluate(module, baked, modules.inputs())["output_drift"] == 0


def test_parametrized_modules_are_measured_as_they_are():
    class Thin(nn.Module):
        def forward(self, weight):
            return weight * (weight.abs() > 0.4)

    for path in ("weight_ih_l0", "weight_hh_l0"):
        module, baked = modules.SEQUENCES["gru without bias"](), modules.SEQUENCES["gru without bias"]()
        for one in (module, baked):
            parametrize.register_parametrization(one, path, Thin())
        parametrize.remove_parametrizations(baked, path)
        assert evaluate(module, baked, modules.inputs())["output_drift"] == 0
        with pytest.raises(InvalidNetwork, match="weight_.h_l0 is no parameter but computed"):
            prune_(module, 0.2, noise=NOISE, include_input=True, strengthen="staged")
        if path == "weight_ih_l0":
            assert torch.allclose(to_sparse(module)(modules.inputs())[0], module(modules.inputs())[0], atol=1e-6)
            assert torch.equal(module(modules.inputs())[0], baked(modules.inputs())[0]), "the original is as it was"
        else:
            with pytest.raises(InvalidOption, match="weight_hh_l0 is parametrized: .*remove_parametrizations"):
                to_sparse(module)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ["gru", "lstm projected", "relu", "lstm cell"])
def test_half_precision_is_pruned_as_in_single_and_cast_back(name, dtype):
    half = ALL[name]().to(dtype)
    single = copy.deepcopy(half).float()
    options = {"noise": NOISE, "strengthen": "staged", "include_input": True}
    info, expected = prune_(half, 0.3, **options), prune_(single, 0.3, **options)
    assert info["density"] == expected["density"] and info["spectral_abscissa"]["before"] is not None
    for path, mask in info["masks"].items():
        assert mask.dtype == torch.bool and torch.equal(mask, expected["masks"][path])
        assert torch.equal(getattr(half, path), getattr(single, path).to(dtype))
    assert all(p.dtype == dtype for p in half.parameters())
    prune_(ALL[name]().to(dtype), 0.3, noise=IntrinsicNoise(steps=6, trials=20), rule="magnitude")


def test_parameters_of_several_precisions_are_pruned():
    module, single = modules.SEQUENCES["gru"](), modules.SEQUENCES["gru"]()
    for one in (module, single):
        for name, parameter in one.named_parameters():
            if "weight" in name:
                parameter.data = parameter.data.bfloat16() if one is module else parameter.data.bfloat16().float()
    for one in (module, single):
        prune_(one, 0.3, noise=NOISE)
    assert torch.equal(module.weight_hh_l0, single.weight_hh_l0.bfloat16())
    assert torch.equal(module.bias_hh_l0, single.bias_hh_l0)


def test_weights_that_outgrow_half_precision_are_refused_and_nothing_is_changed():
    module = modules.SEQUENCES["relu"]().half()
    with torch.no_grad():
        module.weight_hh_l0.fill_(60_000.0)
        module.weight_ih_l0.zero_()
    before = copy.deepcopy(module.state_dict())
    options = {"rule": "uniform", "draw": "fixed", "strengthen": "reciprocal"}
    with pytest.raises(InvalidOption, match=r"weight_hh_l0 do not fit into torch\.float16.*module\.float\(\)"):
        prune_(module, 0.3, inputs=torch.zeros(1, 4, 3), **options)
    assert all(torch.equal(a, b) for a, b in zip(module.state_dict().values(), before.values(), strict=True))


def test_modules_of_inference_mode_are_refused_with_advice_and_plain_ones_pruned_in_it():
    with torch.inference_mode():
        made = modules.made(nn.GRU(3, 8), 83)
    with pytest.raises(InvalidNetwork, match=r"made under torch\.inference_mode.*copy\.deepcopy\(module\)"):
        prune_(made, 0.3, noise=NOISE)
    copied, plain = copy.deepcopy(made), copy.deepcopy(made)
    with torch.inference_mode():
        info = prune_(copied, 0.3, inputs=modules.inputs())
        assert evaluate(copied, made, modules.inputs())["output_drift"] > 0
    prune_(plain, 0.3, inputs=modules.inputs())
    assert torch.equal(copied.weight_hh_l0, plain.weight_hh_l0)
    assert not info["masks"]["weight_hh_l0"].is_inference()
    copied(modules.inputs())[0].sum().backward()


def test_parameters_without_numbers_or_on_two_devices_are_refused(tmp_path):
    meta = nn.GRU(3, 8, device="meta")
    for work in everything(meta, nn.GRU(3, 8)):
        with pytest.raises(InvalidNetwork, match="weight_hh_l0 holds no numbers, as it is on the meta device"):
            work()
    with pytest.raises(InvalidOption, match="holds no numbers"):
        save_sparse(meta, tmp_path / "meta.safetensors")
    lazy = nn.ParameterDict({"W": nn.UninitializedParameter()})
    with pytest.raises(InvalidNetwork, match="W has no shape yet: run the module once"):
        prune_(lazy, 0.3, noise=NOISE, recurrent=Leaky("W", alpha=0.5))
    for values, message in [
        (torch.ones(4, 4, dtype=torch.int64), r"W must hold real floating-point numbers.*torch\.int64"),
        (torch.ones(4, 4, dtype=torch.complex64), r"W must hold real floating-point numbers.*torch\.complex64"),
        (torch.ones(4), r"W must be a matrix, \(post, pre\); its shape is \(4,\)"),
        (torch.ones(1, 4).expand(4, 4), r"W repeats the same numbers in memory"),
    ]:
        module = nn.ParameterDict({"W": nn.Parameter(values, requires_grad=False)})
        with pytest.raises(InvalidNetwork, match=message):
            prune_(module, 0.3, noise=NOISE, recurrent=Leaky("W", alpha=0.5))


class Placed(nn.Module):
    """A parameter that says that it lies elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.ones(4, 4))
        self.W_in = nn.Parameter(torch.ones(4, 4))


def test_two_devices_are_named(monkeypatch):
    from noiseprune.torch import recurrent

    module = Placed()

    class Elsewhere:
        def __init__(self, values):
            self.values, self.device = values, "cuda:0"

        def __getattr__(self, name):
            return getattr(self.values, name)

    found = recurrent.tensor
    monkeypatch.setattr(recurrent, "is_lazy", lambda _: False)
    monkeypatch.setattr(
        recurrent, "tensor", lambda m, path: Elsewhere(found(m, path)) if path == "W_in" else found(m, path)
    )
    with pytest.raises(InvalidNetwork, match=r"W is on cpu and W_in on cuda:0: move the module to one device"):
        prune_(module, 0.3, noise=NOISE, recurrent=Leaky("W", "W_in", alpha=0.5))


@pytest.mark.parametrize("strengthen", ["regressed", "staged", "reciprocal", "none"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_density_of_nothing_is_none(kind, strengthen):
    for noise, per in ((NOISE, "row"), (IntrinsicNoise(steps=6, trials=20), "block"), (NOISE, "global")):
        module = modules.made(kind(3, 1), 84)
        before = copy.deepcopy(module.state_dict())
        info = prune_(module, 0.5, noise=noise, strengthen=strengthen, per=per)
        assert info["density"] is None and set(info["densities"].values()) == {None}
        assert all(np.isfinite(error).all() for error in info["drive_error"].values())
        assert all(torch.equal(a, b) for a, b in zip(module.state_dict().values(), before.values(), strict=True))


def test_inputs_of_one_neuron_are_pruned():
    module = modules.made(nn.GRU(4, 1), 85)
    info = prune_(module, 0.5, noise=NOISE, strengthen="staged", include_input=True)
    assert info["densities"] == {"weight_hh_l0": None, "weight_ih_l0": 0.5} and info["density"] == 0.5


def test_there_is_no_reciprocal_of_an_importance_of_zero():
    module = modules.SEQUENCES["gru without bias"]()
    with pytest.raises(InvalidOption, match=r"weight_hh_l0\[reset\] weights are kept whose importance is zero"):
        prune_(module, 0.3, inputs=torch.zeros(4, 5, 3), strengthen="reciprocal")


@pytest.mark.parametrize("strengthen", ["regressed", "staged", "none"])
def test_silence_and_networks_without_inputs_give_numbers(strengthen):
    module = modules.SEQUENCES["gru without bias"]()
    info = prune_(module, 0.3, inputs=torch.zeros(4, 5, 3), strengthen=strengthen, include_input=strengthen == "staged")
    assert all(torch.isfinite(p).all() for p in module.parameters())
    assert all(np.isfinite(error).all() for error in info["drive_error"].values())
    drift = evaluate(module, modules.SEQUENCES["gru without bias"](), torch.zeros(4, 5, 3))
    assert drift["output_drift"] == 0 and not drift["by_step"].any() and not drift["by_neuron"].any()
    alone = nn.ParameterDict(
        {"W": torch.randn(8, 8, generator=torch.Generator().manual_seed(86)), "W_in": torch.zeros(8, 0)}
    )
    leaky = Leaky("W", "W_in", alpha=0.5)
    with pytest.raises(InvalidOption, match="needs inputs, and the module takes none: take noise='intrinsic'"):
        prune_(alone, 0.25, noise="input", recurrent=leaky)
    noise = IntrinsicNoise(steps=6, trials=20)
    assert prune_(alone, 0.25, noise=noise, strengthen=strengthen, recurrent=leaky)["density"] == 0.25
    assert prune_(alone, 0.125, inputs=torch.zeros(4, 5, 0), strengthen=strengthen, recurrent=leaky)["density"] == 0.125


@pytest.mark.parametrize("name", ["tanh", "gru", "lstm"])
def test_two_layouts_are_compared_each_in_its_own(name):
    one = modules.SEQUENCES[name]()
    other = type(one)(3, 16, one.num_layers, batch_first=True, bidirectional=one.bidirectional)
    other.load_state_dict(one.state_dict())
    for x in (modules.inputs(steps=6, trials=6), modules.inputs(steps=6, trials=7)):
        assert evaluate(one, other, x)["output_drift"] == 0
        assert evaluate(other, one, x.transpose(0, 1))["by_step"].shape == (6,)
    prune_(other, 0.3, noise=NOISE)
    x = modules.inputs(steps=6, trials=7)
    error = one(x)[0] - other(x.transpose(0, 1))[0].transpose(0, 1)
    expected = (error.square().mean() / one(x)[0].flatten(0, 1).var(dim=0, correction=0).mean()).sqrt()
    assert np.isclose(evaluate(other, one, x.transpose(0, 1))["output_drift"], float(expected.detach()), rtol=1e-4)


@pytest.mark.parametrize("power", [-160, 0, 160])
def test_drift_has_no_scale(power):
    """Of a linear network, whose outputs go with its inputs."""
    module = modules.Continuous(n=6).double()
    with torch.no_grad():
        module.hidden.bias.zero_()
        module.offset.zero_()
    linear = Leaky("hidden.weight", "entry.weight", ["hidden.bias", "offset"], alpha=0.2, activation=torch.clone)
    other = copy.deepcopy(module)
    with torch.no_grad():
        other.hidden.weight.mul_(0.9)
    x = modules.inputs().double()
    found = evaluate(other, module, x * 10.0**power, recurrent=linear)
    expected = evaluate(other, module, x, recurrent=linear)
    assert np.isclose(found["output_drift"], expected["output_drift"], rtol=1e-9)
    assert np.allclose(found["by_neuron"], expected["by_neuron"], rtol=1e-9)


def test_drift_is_infinite_where_a_network_runs_away_and_never_nan():
    calm = modules.SEQUENCES["relu"]()
    wild = copy.deepcopy(calm)
    with torch.no_grad():
        wild.weight_hh_l0.fill_(1e6)
    x = modules.inputs()
    assert evaluate(wild, calm, x)["output_drift"] == np.inf
    with pytest.raises(InvalidNetwork, match="activity of reference does not stay finite"):
        evaluate(calm, wild, x)


def test_masks_by_the_paths_of_a_part_say_which():
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.readout = modules.SEQUENCES["gru"](), nn.Linear(32, 2)

    model = Model()
    info = prune_(model.rnn, 0.3, noise=NOISE)
    with pytest.raises(InvalidOption, match=r"no parameter 'weight_hh_l0'.*MaskKeeper\(model\.rnn, masks\)"):
        MaskKeeper(model, info["masks"])
    with pytest.raises(
        InvalidOption, match=r"Linear \(torch.* has no parameter 'weight_hh_l0'.*such as MaskKeeper\(model\.rnn"
    ):
        MaskKeeper(model.readout, info["masks"])
    with pytest.raises(InvalidOption, match=r"no parameter 'weight_hh_l0' of the shape \(3, 3\)"):
        MaskKeeper(model.rnn, {"weight_hh_l0": torch.ones(3, 3)})
    keeper = MaskKeeper(model.rnn, {path: mask.float() for path, mask in info["masks"].items()})
    with torch.no_grad():
        model.rnn.weight_hh_l0.add_(1)
    keeper.apply_()
    assert torch.equal(model.rnn.weight_hh_l0 != 0, info["masks"]["weight_hh_l0"])
    prune.l1_unstructured(model.rnn, "weight_hh_l0", amount=0.1)
    with pytest.raises(InvalidNetwork, match="weight_hh_l0 is no parameter but computed"):
        MaskKeeper(model.rnn, info["masks"])


def test_alpha_is_a_number_or_one_per_neuron_of_any_precision():
    module, plain = modules.Continuous(), modules.Continuous()
    leaky = {"weight": "hidden.weight", "input": "entry.weight", "bias": ["hidden.bias", "offset"]}
    for alpha in (np.full(24, 0.2), torch.full((24,), 0.2, dtype=torch.float64)):
        x = modules.inputs()
        assert evaluate(module, plain, x, recurrent=Leaky(**leaky, alpha=alpha))["output_drift"] == 0
    info = prune_(module, 0.3, noise=IntrinsicNoise(steps=6, trials=20), recurrent=Leaky(**leaky, alpha=alpha))
    assert info["density"] == round(0.3 * 24 * 23) / (24 * 23)
    with pytest.raises(InvalidOption, match=r"alpha must be a number or hold one per neuron; got the shape \(24, 1\)"):
        Leaky("W", alpha=torch.full((24, 1), 0.2))


def test_numbers_of_steps_are_whole_and_inputs_real():
    for noise, message in [
        (lambda: InputNoise(steps=2.5), r"steps must be a whole number, one or more; got 2\.5"),
        (lambda: IntrinsicNoise(trials=0), "trials must be a whole number, one or more; got 0"),
    ]:
        with pytest.raises(InvalidOption, match=message):
            noise()
    with pytest.raises(InvalidOption, match=r"inputs must be real and dense; got torch\.complex64"):
        prune_(nn.GRU(3, 8), 0.3, inputs=torch.ones(4, 2, 3, dtype=torch.complex64))
    with pytest.raises(InvalidOption, match="the covariance holds NaN"):
        NoisePrune(0.5, torch.full((3, 3), torch.nan))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize(("layers", "bidirectional"), [(1, False), (1, True), (3, True), (2, False)])
@pytest.mark.parametrize(("kind", "more"), [(nn.RNN, {}), (nn.GRU, {}), (nn.LSTM, {}), (nn.LSTM, {"proj_size": 4})])
def test_a_sparse_module_gives_what_the_module_gives(kind, more, layers, bidirectional, batch_first, bias):
    """Batched or not, from rest or not, dropout left out."""
    options = {"bias": bias, "batch_first": batch_first, "bidirectional": bidirectional, **more}
    module = modules.made(kind(3, 9, layers, dropout=0.5 if layers > 1 else 0.0, **options), 91).eval()
    for path, weight in module.named_parameters():
        if weight.ndim == 2 and "hr" not in path:
            keep = torch.rand(weight.shape, generator=torch.Generator().manual_seed(92)) < 0.3
            weight.data.mul_(keep)
    sparse = to_sparse(module)
    random = torch.Generator().manual_seed(93)
    for trials in (None, 1, 4):
        x = torch.randn(*((5,) if trials is None else (trials, 5) if batch_first else (5, trials)), 3, generator=random)
        ones = [layers * (1 + bidirectional), *([] if trials is None else [trials])]
        start = torch.randn(*ones, more.get("proj_size", 9), generator=random)
        cells = torch.randn(*ones, 9, generator=random)
        for hx in (None, (start, cells) if kind is nn.LSTM else start):
            (found, state), (expected, last) = sparse(x, hx), module(x, hx)
            assert found.shape == expected.shape and torch.allclose(found, expected, atol=1e-5)
            states = zip(*(s if isinstance(s, tuple) else (s,) for s in (state, last)), strict=True)
            for one, other in states:
                assert one.shape == other.shape and torch.allclose(one, other, atol=1e-5)


def test_inputs_and_states_that_a_sparse_module_cannot_take_are_refused():
    module = modules.SEQUENCES["gru without bias"]()
    sparse = to_sparse(module)
    x = modules.inputs()
    for given, came in [
        (x.double(), r"torch\.float64"),
        (x[..., :2], r"\(12, 40, 2\)"),
        (x[0, 0], r"\(3,\)"),
        (x.numpy(), "ndarray"),
    ]:
        with pytest.raises(InvalidOption, match=rf"\(T, trials, 3\) or \(T, 3\) of torch\.float32; got .*{came}"):
            sparse(given)
    for hx in (torch.zeros(1, 16), torch.zeros(1, 40, 15), (torch.zeros(1, 40, 16),) * 2):
        with pytest.raises(InvalidOption, match=r"initial state must have the shape \(1, 40, 16\); got"):
            sparse(x, hx)
    own = to_sparse(modules.Continuous(), recurrent=modules.CONTINUOUS)
    with pytest.raises(InvalidOption, match="for torch's own modules alone"):
        own(x, torch.zeros(1, 40, 24))
    thin = modules.SEQUENCES["gru without bias"]()
    prune_(thin, 0.2, noise=NOISE)
    with pytest.raises(InvalidOption, match=r"CSR of torch\.bfloat16 on a CPU.*\.float\(\)"):
        to_sparse(copy.deepcopy(thin).bfloat16())
    with pytest.raises(InvalidOption, match="weight_hh_l0 is CSR already"):
        to_sparse(to_sparse(thin).module)
    with pytest.raises(InvalidNetwork, match="weight_hh_l0 is sparse.*take the dense module"):
        prune_(to_sparse(thin).module, 0.1, noise=NOISE)


@pytest.mark.parametrize("name", ["gru", "lstm projected"])
def test_sparse_modules_are_copied_pickled_and_saved(name, tmp_path):
    module = modules.SEQUENCES[name]()
    prune_(module, 0.1, noise=NOISE, strengthen="staged")
    sparse, x = to_sparse(module), modules.inputs()
    model = nn.ModuleDict({"rnn": sparse, "readout": nn.Linear(2, 2)})
    for other in (copy.deepcopy(sparse), pickle.loads(pickle.dumps(sparse)), copy.deepcopy(model)["rnn"]):
        assert torch.equal(other(x)[0], sparse(x)[0])
        assert other.module.weight_hh_l0.layout == torch.sparse_csr
        assert other.module.weight_hh_l0 is not sparse.module.weight_hh_l0
    held = dict(zip(sparse.module._flat_weights_names, sparse.module._flat_weights, strict=True))
    assert held["weight_hh_l0"] is sparse.module.weight_hh_l0, "no dense one is kept beside it"
    save_sparse(sparse, tmp_path / "sparse.safetensors")
    save_sparse(model, tmp_path / "model.safetensors")
    fresh = modules.SEQUENCES[name]()
    load_sparse(fresh, tmp_path / "sparse.safetensors")
    whole = nn.ModuleDict({"rnn": modules.SEQUENCES[name](), "readout": nn.Linear(2, 2)})
    load_sparse(whole, tmp_path / "model.safetensors")
    for one in (fresh, whole["rnn"]):
        assert all(torch.equal(a, b) for a, b in zip(one.parameters(), module.parameters(), strict=True))
    with pytest.raises(InvalidOption, match="load_sparse fills dense modules"):
        load_sparse(sparse, tmp_path / "sparse.safetensors")


def test_state_that_is_no_tensor_is_refused(tmp_path):
    class Extra(nn.Linear):
        def get_extra_state(self):
            return {"epoch": 1}

        def set_extra_state(self, state):
            pass

    with pytest.raises(InvalidOption, match=r"_extra_state of Extra .* is extra state, dict.*torch\.save"):
        save_sparse(Extra(2, 2), tmp_path / "extra.safetensors")
    module = nn.Linear(2, 2)
    module.register_buffer("table", torch.eye(3).to_sparse_coo())
    with pytest.raises(InvalidOption, match=r"table must be dense or CSR.*torch\.sparse_coo"):
        save_sparse(module, tmp_path / "coo.safetensors")
    assert not list(tmp_path.iterdir())
