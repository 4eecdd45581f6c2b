"""Trained recurrent networks of PyTorch, pruned without labels.

`prune_` takes ``nn.RNN``, ``nn.GRU``, ``nn.LSTM``, their cells, and with `Recurrent` or `Leaky` any module that names
its parameters and its step. Moments of its activity, driven by noise or by unlabelled inputs, are all that it reads.
"""

from noiseprune.errors import MissingExtra

try:
    import torch as _torch  # noqa: F401
except ImportError:
    raise MissingExtra(
        "noiseprune.torch needs PyTorch. On Linux take the CPU build first, since the default wheel brings gigabytes of CUDA: "
        "pip install torch --index-url https://download.pytorch.org/whl/cpu; then pip install 'noiseprune[torch]'"
    ) from None

from noiseprune.torch.ensembles import InputNoise, IntrinsicNoise
from noiseprune.torch.evaluation import evaluate
from noiseprune.torch.masking import MaskKeeper, NoisePrune
from noiseprune.torch.pruning import prune_
from noiseprune.torch.recurrent import Leaky, Recurrent
from noiseprune.torch.result import PrunedModule
from noiseprune.torch.sparse import load_sparse, save_sparse, to_sparse

__all__ = [
    "InputNoise",
    "IntrinsicNoise",
    "Leaky",
    "MaskKeeper",
    "NoisePrune",
    "PrunedModule",
    "Recurrent",
    "evaluate",
    "load_sparse",
    "prune_",
    "save_sparse",
    "to_sparse",
]
