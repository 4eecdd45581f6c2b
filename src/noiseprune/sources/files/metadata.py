"""What a file of weights cannot say by itself: leak, noise, labels, where it came from.

Formats with room for it hold it inside; others have it beside them, in ``NAME.EXT.json`` with a digest of the data.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from noiseprune.errors import BadFile, NoisePruneWarning
from noiseprune.network import Network
from noiseprune.version import __version__

FORMAT = "noiseprune network"
FORMAT_VERSION = 1
RECORD = "noiseprune"  # what it is called inside a file
EXACT_IN_JSON = 2**53  # many JSON readers keep integers as doubles

Metadata = dict[str, Any]


def describe(network: Network) -> Metadata:
    """Collect all of a network but its weights, fit for strict JSON."""
    labels = network.labels
    large = labels is not None and any(isinstance(x, int) and abs(x) >= EXACT_IN_JSON for x in labels)
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "noiseprune": __version__,
        "content": "weights",
        "orientation": "post-pre",
        "n_neurons": network.n_neurons,
        "weights_sha256": _weights_digest(network.weights),
        "symmetric": network.symmetric,
        "dtype": str(network.link_matrix.dtype),
        "activation": network.activation,
        "leak": _brief(network.leak),
        "noise_std": _brief(network.noise_std),
        "label_type": None if labels is None else type(labels[0]).__name__,
        "labels": None if labels is None else [str(x) for x in labels] if large else list(labels),
        "origin": network.origin,
    }


def restore(weights: sp.csr_array, metadata: Metadata, path: Path) -> Network:
    """Build the network again from its weights (post, pre) and what `describe` collected.

    Parameters
    ----------
    weights : (n_neurons, n_neurons) csr_array
        W in (post, pre) order.
    metadata : Metadata
        From `loads`.
    path : Path
        The file, for the messages.

    Raises
    ------
    BadFile
        Where the two do not fit together.
    """
    with intact(path):
        if weights.shape != (metadata["n_neurons"],) * 2:
            raise ValueError(
                f"n_neurons is {metadata['n_neurons']}, the matrix {weights.shape[0]} x {weights.shape[1]}"
            )
        return Network(
            weights.astype(metadata["dtype"]),
            metadata["leak"],
            metadata["noise_std"],
            metadata["activation"],
            labels_of(metadata, path),
            symmetric=metadata["symmetric"],
            origin=metadata["origin"],
        )


@contextlib.contextmanager
def intact(path: Path) -> Iterator[None]:
    """Name the record where what it says does not fit together.

    Raises
    ------
    BadFile
        Where the block raised for something that the record lacks or has wrong.
    """
    try:
        yield
    except BadFile:
        raise
    except KeyError as error:
        raise BadFile(f"{path}: the record of the network is damaged: it has no {error}") from None
    except (TypeError, ValueError) as error:
        raise BadFile(f"{path}: the record of the network is damaged: {error}") from None


def labels_of(metadata: Metadata, path: Path) -> list[int | str] | None:
    """Return the labels as they were."""
    with intact(path):
        if metadata["labels"] is None:
            return None
        kind = int if metadata["label_type"] == "int" else str
        return [kind(x) for x in metadata["labels"]]


def dumps(metadata: Metadata) -> str:
    """Write strict JSON."""
    return json.dumps(metadata, allow_nan=False, indent=1, ensure_ascii=False)


def from_json(text: str) -> Any:
    """Decode JSON; ValueError also where it is nested deeper than Python can follow."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("its JSON is nested too deeply") from None


def loads(text: str, path: Path) -> Metadata:
    """Read what `dumps` wrote, of this version.

    Raises
    ------
    BadFile
        Where the text is no record of ours, or one of another version.
    """
    try:
        metadata = from_json(text)
        if metadata["format"] != FORMAT:
            raise BadFile(f"{path}: is no record of a noiseprune network (format {metadata['format']!r})")
        version = metadata["format_version"]
    except (ValueError, KeyError, TypeError):
        raise BadFile(f"{path}: is no record of a noiseprune network; move it away to read the data alone") from None
    if version != FORMAT_VERSION:
        raise BadFile(
            f"{path}: has format version {version}; this noiseprune reads version {FORMAT_VERSION}: upgrade it"
        )
    return dict(metadata)


def sidecar(path: Path) -> Path:
    """Name the file beside `path` that describes it."""
    return path.with_name(path.name + ".json")


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _weights_digest(weights: sp.csr_array) -> str:
    """SHA-256 of weights, whatever the integers and precision they are stored in."""
    hasher = hashlib.sha256()
    for array in (weights.indptr.astype("<i8"), weights.indices.astype("<i4"), weights.data.astype("<f8")):
        hasher.update(array.data)
    return hasher.hexdigest()


def restore_inside(weights: sp.csr_array, text: str, path: Path) -> Network | None:
    """Build the network from weights and the record beside them in one file; None where the weights are others.

    Tools of other people keep what they do not know when they change a file and save it again.

    Parameters
    ----------
    weights : (n_neurons, n_neurons) csr_array
        W in (post, pre) order.
    text : str
        The record, as `dumps` wrote it.
    path : Path
        The file, for the messages.

    Raises
    ------
    BadFile
        Where the record is damaged.
    """
    metadata = loads(text, path)
    weights = sp.csr_array(weights)
    weights.sum_duplicates()
    weights.eliminate_zeros()
    if metadata.get("weights_sha256") == _weights_digest(weights):
        return restore(weights, metadata, path)
    _warn_of_change(f"{path}: its weights changed after noiseprune wrote it")
    return None


def _warn_of_change(what: str) -> None:
    warnings.warn(f"{what}, so its leak, labels and noise are not used", NoisePruneWarning, stacklevel=6)


def read_sidecar(path: Path) -> Metadata | None:
    """Return what stands beside `path`, where it is there and describes these very bytes.

    Raises
    ------
    BadFile
        Where it cannot be read, or is damaged.
    """
    beside = sidecar(path)
    try:
        text = beside.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f"{beside}: cannot be read ({error}); move it away to read the data alone") from None
    if f'"{FORMAT}"' not in text:
        return None  # somebody else's record of the same data
    metadata = loads(text, beside)
    if metadata.get("data_sha256") == digest(path):
        return metadata
    _warn_of_change(f"{beside} describes another version of {path.name} (the digest differs)")
    return None


def _brief(values: NDArray[np.float64]) -> float | list[float]:
    """One number where all are the same."""
    return float(values[0]) if np.all(values == values[0]) else [float(x) for x in values]
