"""How long does a prune of 512 neurons take on one thread? Aims: staged to 5 % in 10 s, regressed in 2 s after the moments."""

from __future__ import annotations

from harness import one_thread, paired, save  # first: it pins the threads

import copy
import time

import numpy as np
import torch
from torch import nn

from noiseprune.torch import InputNoise, prune_
from noiseprune.torch.blocks import blocks_of
from noiseprune.torch.moments import measure
from noiseprune.torch.recurrent import layers_of

AIMS = {"staged": 10.0, "regressed": 2.0}


def main() -> None:
    one_thread()
    torch.manual_seed(91)
    network = nn.RNN(32, 512)
    nn.init.normal_(network.weight_hh_l0, std=0.9 / 512**0.5)
    layers, noise = layers_of(network), InputNoise()
    began = time.perf_counter()
    measure(network, layers, blocks_of(network, layers), noise, torch.Generator().manual_seed(92))
    moments = time.perf_counter() - began
    calls = [
        lambda how=how: prune_(copy.deepcopy(network), 0.05, noise=noise, strengthen=how)
        for how in ("staged", "regressed")
    ]
    rows = []
    for (how, aim), seconds in zip(AIMS.items(), paired(*calls, repeats=3), strict=True):
        whole = float(np.median(seconds))
        row = {"strengthen": how, "moments, s": round(moments, 2), "whole prune, s": round(whole, 2)}
        rows.append(row | {"after the moments, s": round(whole - moments, 2), "aim, s": aim})
    save("rnn_seconds", rows)


if __name__ == "__main__":
    main()
