"""Tensors as people save them."""

import numpy as np
import pytest

from noiseprune import read
from noiseprune.errors import BadFile

torch = pytest.importorskip("torch")

W = torch.tensor([[0, 2.5, 0, 0], [0, 0, -3, 0], [4, 0, 0, 1], [0, 0, 0.5, 0]])


def weights(path, **options):
    return read(path, **options).weights.toarray()


@pytest.mark.parametrize(
    "saved",
    [
        W,
        torch.nn.Parameter(W),
        {"W": torch.nn.Parameter(W)},
        {"model": {"W": W}, "epoch": 3},
        [torch.zeros(3), W],
        lambda: {"W": W.to_sparse_csr()},
        lambda: {"W": W.to_sparse_csc()},
        lambda: {"W": W.to_sparse()},
        W.T.contiguous().T,
        *(W.to(kind) for kind in (torch.bfloat16, torch.float16, torch.float64)),
    ],
)
@pytest.mark.filterwarnings("ignore:Sparse CS. tensor support:UserWarning")
def test_a_tensor_is_read_however_it_was_saved(tmp_path, saved):
    torch.save(saved() if callable(saved) and not torch.is_tensor(saved) else saved, tmp_path / "net.pt")
    assert np.array_equal(weights(tmp_path / "net.pt"), W.numpy())


@pytest.mark.parametrize("kind", ["bfloat16", "float16", "float32", "float64", "float8_e4m3fn"])
def test_narrow_numbers_of_safetensors_are_read(tmp_path, kind):
    safetensors = pytest.importorskip("safetensors.torch")
    safetensors.save_file({"W": W.to(getattr(torch, kind))}, tmp_path / "net.safetensors")
    assert np.array_equal(weights(tmp_path / "net.safetensors"), W.numpy())


@pytest.mark.parametrize("kind", ["complex64", "complex128"])
def test_complex_numbers_are_refused(tmp_path, kind):
    torch.save({"W": W.to(getattr(torch, kind)).conj()}, tmp_path / "net.pt")
    with pytest.raises(BadFile, match=f"must hold real numbers; got {kind}"):
        read(tmp_path / "net.pt")


@pytest.mark.filterwarnings("ignore:Sparse CS. tensor support:UserWarning")
def test_sparse_tensors_whose_indices_lie_are_refused(tmp_path):
    lie = torch.sparse_csr_tensor([0, 1, 2, 3, 4], [1, 2, 99, 0], [1.0, 2, 3, 4], size=(4, 4), check_invariants=False)
    torch.save({"W": lie}, tmp_path / "net.pt")
    with pytest.raises(BadFile, match="no readable PyTorch state_dict: .*col_indices"):
        read(tmp_path / "net.pt")


def test_what_save_sparse_wrote_is_read(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch")
    from noiseprune.torch import load_sparse, save_sparse

    module = torch.nn.RNN(2, 4)
    with torch.no_grad():
        module.weight_hh_l0.copy_(W)
    save_sparse(module, tmp_path / "net.safetensors")
    net = read(tmp_path / "net.safetensors")
    assert np.array_equal(net.weights.toarray(), W.numpy())
    assert net.origin["format"] == "safetensors, weight_hh_l0"
    deep = {"format": "noiseprune-csr-1", "shapes": "[" * 100_000}
    safetensors.save_file({"W": W}, tmp_path / "deep.safetensors", deep)
    for reading in (read, lambda path: load_sparse(module, path)):
        with pytest.raises(
            BadFile, match="its list of shapes is damaged: write it again with noiseprune.torch.save_sparse"
        ):
            reading(tmp_path / "deep.safetensors")
