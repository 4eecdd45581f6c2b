"""Two paths to one parameter: refused where pruning would change what it does not measure, in every form."""

import copy
from collections.abc import Callable
from itertools import combinations

import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install torch (see the README for its CPU build)")
from torch import nn

from noiseprune.errors import InvalidOption
from noiseprune.torch import (
    InputNoise,
    Leaky,
    MaskKeeper,
    NoisePrune,
    evaluate,
    load_sparse,
    prune_,
    save_sparse,
    to_sparse,
)
from noiseprune.torch.sharing import overlap
from tests.torch import modules

N = 6
NOISE = InputNoise(steps=6, trials=20)
WEIGHTS = [f"weight_{kind}_l{layer}" for layer in (0, 1) for kind in ("ih", "hh")]
BIASES = [name.replace("weight", "bias") for name in WEIGHTS]


def same_object(module: nn.Module, one: str, other: str) -> None:
    setattr(module, other, getattr(module, one))


def same_memory(module: nn.Module, one: str, other: str) -> None:
    setattr(module, other, nn.Parameter(getattr(module, one).detach()))


def transposed(module: nn.Module, one: str, other: str) -> None:
    setattr(module, other, nn.Parameter(getattr(module, one).detach().T))


def stacked() -> nn.Module:
    return modules.made(nn.RNN(N, N, num_layers=2), 71)


def tied(one: str, other: str, tie: Callable[[nn.Module, str, str], None] = same_object) -> nn.Module:
    module = stacked()
    tie(module, one, other)
    return module


@pytest.mark.parametrize("form", ["baked", "hook"])
@pytest.mark.parametrize("tie", [same_object, same_memory, transposed])
@pytest.mark.parametrize("pair", list(combinations(WEIGHTS, 2)), ids="-".join)
def test_any_two_paths_to_one_weight_are_named_or_do_no_harm(pair, tie, form):
    module = tied(*pair, tie)
    before = [p.detach().clone() for p in module.parameters()]
    if any("hh" in path for path in pair):
        with pytest.raises(InvalidOption, match="are the same numbers in memory.*untie") as refused:
            prune_(module, 0.4, noise=NOISE, form=form)
        assert all(path in str(refused.value) for path in pair)
        assert all(torch.equal(p, old) for p, old in zip(module.parameters(), before, strict=True))
        return
    untied = stacked()  # input matrices that are not pruned: as if they were two
    untied.load_state_dict(module.state_dict())
    for one in (module, untied):
        prune_(one, 0.4, noise=NOISE, form=form)
    assert all(
        torch.allclose(a, b, atol=1e-5)
        for a, b in zip(module.state_dict().values(), untied.state_dict().values(), strict=True)
    )
    with pytest.raises(InvalidOption, match="are the same numbers in memory"):
        prune_(tied(*pair, tie), 0.4, noise=NOISE, include_input=True, strengthen="staged", form=form)


@pytest.mark.parametrize("pair", list(combinations(BIASES, 2)), ids="-".join)
def test_tied_biases_are_refused_where_they_are_corrected(pair):
    module = tied(*pair)
    untied = stacked()
    untied.load_state_dict(module.state_dict())
    for one in (module, untied):
        prune_(one, 0.4, noise=NOISE, strengthen="none")
    assert all(
        torch.equal(a, b) for a, b in zip(module.state_dict().values(), untied.state_dict().values(), strict=True)
    )
    if any("hh" in path for path in pair):
        with pytest.raises(InvalidOption, match=f"{pair[0]} and {pair[1]}|{pair[1]} and {pair[0]}"):
            prune_(module, 0.3, noise=NOISE)
    else:
        prune_(module, 0.3, noise=NOISE)


def test_the_two_directions_of_a_layer_are_two_paths():
    module = modules.made(nn.GRU(3, N, bidirectional=True), 72)
    module.weight_hh_l0_reverse = module.weight_hh_l0
    with pytest.raises(InvalidOption, match="weight_hh_l0 and weight_hh_l0_reverse"):
        prune_(module, 0.4, noise=NOISE)


class Net(nn.Module):
    """Somebody's network, with a readout."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.entry, self.readout = nn.Linear(N, N), nn.Linear(N, N, bias=False), nn.Linear(N, N)
        modules.fill(self, torch.Generator().manual_seed(73))


LEAKY = Leaky("hidden.weight", "entry.weight", "hidden.bias", alpha=0.5)


def test_a_weight_that_is_also_used_elsewhere_is_refused():
    net = Net()
    net.readout.weight = net.hidden.weight
    with pytest.raises(
        InvalidOption, match=r"hidden\.weight and readout\.weight.*readout\.weight = torch\.nn\.Parameter"
    ):
        prune_(net, 0.4, noise=NOISE, recurrent=LEAKY)
    net = Net()
    net.readout = net.hidden
    with pytest.raises(InvalidOption, match=r"readout = copy\.deepcopy\(readout\)\), or delete one"):
        prune_(net, 0.4, noise=NOISE, recurrent=LEAKY)
    net = Net()
    net.register_buffer("view", net.hidden.weight.detach()[:2])
    with pytest.raises(InvalidOption, match=r"hidden\.weight and view"):
        prune_(net, 0.4, noise=NOISE, recurrent=LEAKY)


def test_a_readout_tied_to_the_input_matrix_matters_only_where_that_is_pruned():
    net = Net()
    net.readout.weight = net.entry.weight
    prune_(net, 0.4, noise=NOISE, recurrent=LEAKY)
    assert net.readout.weight is net.entry.weight
    with pytest.raises(InvalidOption, match=r"entry\.weight and readout\.weight"):
        prune_(net, 0.3, noise=NOISE, recurrent=LEAKY, include_input=True, strengthen="staged")


def test_a_parameter_that_one_layer_names_twice_is_refused():
    for leaky in (
        Leaky("hidden.weight", "hidden.weight", alpha=0.5),
        Leaky("hidden.weight", bias=["hidden.bias"] * 2, alpha=0.5),
    ):
        with pytest.raises(InvalidOption, match=r"hidden\.\w+ is named twice for one layer"):
            prune_(Net(), 0.4, noise=NOISE, recurrent=leaky)


def test_an_alias_is_no_second_use():
    class Aliased(Net):
        @property
        def alias(self) -> nn.Parameter:
            return self.hidden.weight

    net, plain = Aliased(), Net()
    info = prune_(net, 0.4, noise=NOISE, recurrent=Leaky("alias", "entry.weight", "hidden.bias", alpha=0.5))
    prune_(plain, 0.4, noise=NOISE, recurrent=LEAKY)
    assert torch.equal(net.hidden.weight, plain.hidden.weight)
    assert torch.equal(info["masks"]["alias"], net.hidden.weight != 0)


def test_weights_side_by_side_in_one_memory_are_not_one():
    """As cuDNN lays them out, and as columns of one matrix."""
    whole = torch.randn(N, 2 * N, generator=torch.Generator().manual_seed(74))
    left, right = whole[:, :N], whole[:, N:]
    assert not overlap(left, right)
    assert overlap(left, whole[:, N - 1 :]) and overlap(whole, right)
    assert not overlap(whole[:3], whole[3:])
    assert not overlap(torch.zeros(0, 3), torch.zeros(0, 3))
    module = stacked()
    flat = torch.cat([getattr(module, path).detach().flatten() for path in WEIGHTS])
    for k, path in enumerate(WEIGHTS):
        setattr(module, path, nn.Parameter(flat[k * N * N : (k + 1) * N * N].view(N, N)))
    plain = stacked()
    for one in (module, plain):
        prune_(one, 0.4, noise=NOISE)
    assert all(torch.equal(getattr(module, path), getattr(plain, path)) for path in WEIGHTS)


def test_torchs_own_machinery_refuses_tied_weights_too():
    with pytest.raises(InvalidOption, match="weight_hh_l0 and weight_hh_l1"):
        NoisePrune.apply(tied("weight_hh_l0", "weight_hh_l1"), "weight_hh_l0", density=0.4, covariance=torch.eye(N))


def test_masks_of_tied_weights_must_agree():
    module = tied("weight_hh_l0", "weight_hh_l1")
    mask = torch.rand(N, N, generator=torch.Generator().manual_seed(75)) < 0.5
    with pytest.raises(InvalidOption, match="weight_hh_l0 and weight_hh_l1 are the same numbers.*masks differ"):
        MaskKeeper(module, {"weight_hh_l0": mask, "weight_hh_l1": ~mask})
    MaskKeeper(module, {"weight_hh_l0": mask, "weight_hh_l1": mask}).apply_()
    assert torch.equal(module.weight_hh_l1 != 0, mask)


@pytest.mark.parametrize("tie", [same_object, same_memory])
@pytest.mark.parametrize("pair", list(combinations(WEIGHTS, 2)), ids="-".join)
def test_tied_modules_are_read_saved_and_made_sparse_as_they_are(pair, tie, tmp_path):
    module = tied(*pair, tie)
    with torch.no_grad():
        for k, path in enumerate(WEIGHTS):
            if path not in pair or path == pair[0]:
                getattr(module, path).mul_(
                    torch.rand(N, N, generator=torch.Generator().manual_seed(k)) < (0.3 if k % 2 else 0.9)
                )
    x = torch.randn(5, 4, N, generator=torch.Generator().manual_seed(76))
    assert evaluate(module, copy.deepcopy(module), x)["output_drift"] == 0
    assert torch.allclose(to_sparse(module)(x)[0], module(x)[0], atol=1e-6)
    save_sparse(module, tmp_path / "tied.safetensors")
    fresh, tied_again = stacked(), tied(*pair, tie)
    for one in (fresh, tied_again):
        load_sparse(one, tmp_path / "tied.safetensors")
        assert all(torch.equal(getattr(one, path), getattr(module, path)) for path in WEIGHTS + BIASES)
    assert getattr(tied_again, pair[0]).data_ptr() == getattr(tied_again, pair[1]).data_ptr()
