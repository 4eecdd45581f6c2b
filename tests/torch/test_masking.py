"""The pitfalls that people met when they pruned recurrent networks, one test each; the numbers are PyTorch's issues."""

import copy
import io
import pickle
import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install torch (see the README for its CPU build)")
from torch.nn.utils import parametrize, prune

from noiseprune.errors import BadFile, InvalidNetwork, InvalidOption
from noiseprune.torch import MaskKeeper, NoisePrune, evaluate, load_sparse, prune_, save_sparse, to_sparse
from tests.torch import modules

pytestmark = [
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN"),
]
KINDS = ["tanh", "gru", "lstm", "lstm projected"]


def pruned(name: str, form: str = "baked", density: float = 0.2) -> torch.nn.Module:
    module = modules.SEQUENCES[name]()
    prune_(module, density, noise="input", strengthen="staged", form=form)
    return module


def sent(module: torch.nn.Module) -> torch.Tensor:
    return module(modules.laid_out(module, modules.inputs()))[0].detach()


@pytest.mark.parametrize("name", KINDS)
def test_baked_weights_reach_the_forward_pass_and_stay_parameters(name):
    module, original = pruned(name), modules.SEQUENCES[name]()
    assert not torch.allclose(sent(module), sent(original))
    assert [n for n, _ in module.named_parameters()] == [n for n, _ in original.named_parameters()]
    assert all(
        flat is getattr(module, n) for flat, n in zip(module._flat_weights, module._flat_weights_names, strict=True)
    )


@pytest.mark.parametrize("name", KINDS)
def test_baked_modules_can_be_copied_pickled_and_loaded(name):
    """37322: deepcopy of a pruned model fails; the state of a hooked one does not load into a fresh model."""
    module = pruned(name)
    fresh = modules.SEQUENCES[name]()
    fresh.load_state_dict(module.state_dict())
    buffer = io.BytesIO()
    torch.save(module.state_dict(), buffer)
    buffer.seek(0)
    loaded = modules.SEQUENCES[name]()
    loaded.load_state_dict(torch.load(buffer, weights_only=True))
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module)), fresh, loaded):
        assert torch.equal(sent(other), sent(module))


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore:The tensor attributes self._flat_weights:UserWarning")
def test_baked_modules_are_taken_by_torchscript_and_export():
    """Whatever the unpruned module goes through."""
    module = pruned("gru")
    x = modules.inputs()
    for made in (torch.jit.trace(module, x, check_trace=False), torch.export.export(module, (x,)).module()):
        assert torch.allclose(made(x)[0], sent(module), atol=1e-6)


@pytest.mark.parametrize("form", ["baked", "hook"])
@pytest.mark.parametrize("name", KINDS)
def test_training_goes_on_after_pruning(name, form):
    """33618: a pruned LSTM stops training; 65688: a parametrized one is frozen."""
    module = pruned(name, form)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    before = sent(module)
    kept = [p.detach().clone() for p in module.parameters()]
    module(modules.inputs())[0].square().mean().backward()
    optimizer.step()
    assert all(not torch.equal(p, old) for p, old in zip(module.parameters(), kept, strict=True))
    assert not torch.allclose(sent(module), before, atol=1e-6)


def test_no_warning_about_scattered_weights():
    """86457, 2460: "not a single contiguous chunk"."""
    module = pruned("lstm")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        module.flatten_parameters()
        sent(module)


def test_parametrized_weights_are_refused_not_silently_left():
    """65688: do not build on parametrize for nn.RNN."""
    module = modules.SEQUENCES["gru"]()
    parametrize.register_parametrization(module, "weight_hh_l0", torch.nn.Identity())
    with pytest.raises(InvalidNetwork, match="no parameter but computed.*remove_parametrizations"):
        prune_(module, 0.2, noise="input")


@pytest.mark.parametrize("name", KINDS)
def test_the_hook_form_is_torchs_own(name):
    hooked, baked = pruned(name, "hook"), pruned(name)
    assert prune.is_pruned(hooked)
    assert {n for n, _ in hooked.named_buffers()} == {
        f"{n}_mask" for n, _ in baked.named_parameters() if "weight_hh" in n
    }
    assert torch.equal(sent(hooked), sent(baked))
    with pytest.raises(InvalidNetwork, match=r"torch\.nn\.utils\.prune\.remove"):
        prune_(hooked, 0.1, noise="input")
    for path in [n.removesuffix("_mask") for n, _ in hooked.named_buffers()]:
        prune.remove(hooked, path)
    assert torch.equal(sent(copy.deepcopy(hooked)), sent(baked))


def test_hooked_weights_are_not_scaled_by_their_mask():
    """A mask of 1/p would scale gradients too: ours are zeros and ones, the new weight lies in the parameter."""
    module = modules.SEQUENCES["tanh"]()
    prune_(module, 0.3, noise="input", rule="weight", draw="fixed", strengthen="reciprocal", form="hook")
    mask = module.weight_hh_l0_mask
    assert set(mask.unique().tolist()) == {0.0, 1.0}
    module(modules.inputs())[0].sum().backward()
    gradient = module.weight_hh_l0_orig.grad
    assert torch.all(gradient[mask == 0] == 0) and torch.all(gradient[mask == 1] != 0)


@pytest.mark.parametrize("name", KINDS)
def test_pruned_weights_stay_zero_under_momentum_and_decay(name):
    """Momentum revives pruned weights in ordinary fine-tuning."""
    module = modules.SEQUENCES[name]()
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.01, weight_decay=0.1)

    def train() -> None:
        for _ in range(3):
            optimizer.zero_grad()
            module(modules.inputs())[0].square().mean().backward()
            optimizer.step()

    train()  # momentum from before the pruning
    info = prune_(module, 0.2, noise="input", strengthen="staged")
    values = {path: getattr(module, path).detach().clone() for path in info["masks"]}
    keeper = MaskKeeper(module, info["masks"])
    handle = keeper.follow(optimizer)
    train()
    for path, mask in info["masks"].items():
        weight = getattr(module, path)
        assert torch.all(weight[~mask] == 0)
        assert torch.all(weight[mask] != values[path][mask])
    handle.remove()
    train()
    assert any(torch.any(getattr(module, path)[~mask] != 0) for path, mask in info["masks"].items())
    keeper.apply_()
    assert all(torch.all(getattr(module, path)[~mask] == 0) for path, mask in info["masks"].items())


def test_a_pruning_method_for_torchs_own_machinery():
    module = modules.SEQUENCES["gru"]()
    samples = torch.randn(200, 16, generator=torch.Generator().manual_seed(8))
    NoisePrune.apply(module, "weight_hh_l0", density=0.3, covariance=torch.cov(samples.T))
    masks = module.weight_hh_l0_mask.split(16)
    assert [int(mask.sum()) for mask in masks] == [round(0.3 * 240) + 16] * 3
    NoisePrune.apply(module, "weight_hh_l0", density=0.1, covariance=torch.cov(samples.T))
    again = module.weight_hh_l0_mask.split(16)
    assert [int(mask.sum()) for mask in again] == [24 + 16] * 3
    assert all(torch.all(before >= after) for before, after in zip(masks, again, strict=True))
    with pytest.raises(InvalidOption, match=r"covariance of the 16 neurons.*\(3, 3\)"):
        NoisePrune.apply(module, "weight_hh_l1", density=0.1, covariance=np.eye(3))
    with pytest.raises(InvalidOption, match="density, the kept share"):
        NoisePrune(1.5, torch.eye(3))


@pytest.mark.parametrize("name", [*KINDS, "gru batch first", "gru without bias"])
def test_sparse_inference_gives_what_the_pruned_module_gives(name):
    """36214, 43552: zeros alone change neither speed nor memory."""
    module = pruned(name)
    sparse = to_sparse(module)
    x = modules.laid_out(module, modules.inputs())
    found, state = sparse(x)
    expected, last = module(x)
    assert torch.allclose(found, expected, atol=1e-6)
    for one, other in zip(*(s if isinstance(s, tuple) else (s,) for s in (state, last)), strict=True):
        assert torch.allclose(one, other, atol=1e-6)
    assert sparse.module.weight_hh_l0.layout == torch.sparse_csr
    assert module.weight_hh_l0.layout == torch.strided


def test_a_sparse_copy_of_somebodys_own_network():
    module = modules.Continuous()
    prune_(module, 0.2, noise="input", strengthen="staged", recurrent=modules.CONTINUOUS)
    sparse = to_sparse(module, recurrent=modules.CONTINUOUS)
    assert torch.allclose(sparse(modules.inputs())[0], module(modules.inputs()), atol=1e-6)
    with pytest.raises(InvalidOption, match="is pruned by a hook"):
        to_sparse(pruned("tanh", "hook"))


@pytest.mark.parametrize("name", [*KINDS, "gru without bias"])
def test_saved_sparse_modules_come_back_whole_and_small(name, tmp_path):
    """16667: saving sparse models; tutorials 905: the sparsity is gone after reloading."""
    module, fresh = pruned(name, density=0.1), modules.SEQUENCES[name]()
    save_sparse(module, tmp_path / "sparse.safetensors")
    load_sparse(fresh, tmp_path / "sparse.safetensors")
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), fresh.parameters(), strict=True))


def test_files_of_pruned_modules_are_smaller(tmp_path):
    module = modules.made(torch.nn.GRU(3, 100), 61)
    prune_(module, 0.1, noise="input")
    torch.save(module.state_dict(), tmp_path / "dense.pt")
    save_sparse(module, tmp_path / "sparse.safetensors")
    assert (tmp_path / "sparse.safetensors").stat().st_size < 0.35 * (tmp_path / "dense.pt").stat().st_size


def test_bad_files_are_refused(tmp_path):
    module = pruned("gru")
    path = tmp_path / "sparse.safetensors"
    save_sparse(module, path)
    with pytest.raises(BadFile, match="exists already"):
        save_sparse(module, path)
    save_sparse(module, path, overwrite=True)
    with pytest.raises(BadFile, match="does not fit RNN"):
        load_sparse(modules.SEQUENCES["tanh"](), path)
    with pytest.raises(BadFile, match="cannot be read as safetensors"):
        load_sparse(module, tmp_path / "missing.safetensors")
    (tmp_path / "text").write_text("pre,post,weight")
    with pytest.raises(BadFile, match="cannot be read as safetensors"):
        load_sparse(module, tmp_path / "text")
    from safetensors.torch import load_file, save_file

    stored = load_file(path)
    save_file(stored, tmp_path / "other")
    with pytest.raises(BadFile, match="expected the format noiseprune-csr-1"):
        load_sparse(module, tmp_path / "other")
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    for damage, message in [
        ({"weight_hh_l0.indices": stored["weight_hh_l0.indices"] + 100}, "do not make a 48 x 16 matrix"),
        ({"weight_hh_l0.indices": stored["weight_hh_l0.indices"][1:]}, "do not make a 48 x 16 matrix"),
    ]:
        save_file(stored | damage, tmp_path / "damaged", metadata)
        with pytest.raises(BadFile, match=message):
            load_sparse(module, tmp_path / "damaged")


def test_drift_is_zero_for_a_copy_and_larger_for_fewer_weights():
    original = modules.SEQUENCES["gru batch first"]()
    x = modules.laid_out(original, modules.inputs())
    assert evaluate(copy.deepcopy(original), original, x)["output_drift"] == 0
    drifts = []
    for density in (0.5, 0.2, 0.05):
        module = copy.deepcopy(original)
        prune_(module, density, inputs=x, strengthen="staged")
        drifts.append(evaluate(module, original, x))
    values = [drift["output_drift"] for drift in drifts]
    assert values == sorted(values)
    assert drifts[0]["by_step"].shape == (12,) and drifts[0]["by_neuron"].shape == (16,)
    expected = (sent(module) - sent(original)).square().mean() / sent(original).flatten(0, 1).var(
        dim=0, correction=0
    ).mean()
    assert np.isclose(values[-1], float(expected.sqrt()), rtol=1e-4)
    with pytest.raises(InvalidOption, match="same kind of network; they send 16 and 32"):
        evaluate(original, modules.SEQUENCES["gru"](), modules.inputs(steps=40))
