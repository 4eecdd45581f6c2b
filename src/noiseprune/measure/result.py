"""What a comparison says: numbers only."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noiseprune.machine.display import Displayed, shown

Spread = dict[str, float | None]


SCHEMA_VERSION = 1


class Spectra(NamedTuple):
    """All eigenvalues of A and of A', nearest zero first, and the generalised ones of (-A', -A), smallest first.

    (n_neurons,) each; `directions` is None where there are none.
    """

    before: NDArray[Any]
    after: NDArray[Any]
    directions: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Comparison(Displayed):
    """What was preserved: numbers only. `to_dict` makes strict JSON of it; None stands where a number cannot be had.

    Attributes
    ----------
    density : float
        Synapses after over synapses before.
    n_neurons, n_synapses_before, n_synapses_after : int
        Counts of neurons and of directed entries.
    symmetric : bool
        Whether both networks are.
    spectral_abscissa_before, spectral_abscissa_after : float, 1/s
        Largest real part of an eigenvalue of A and of A'.
    stable_after : bool
        Whether the abscissa after is negative.
    eigenvalue_error : dict
        |lambda'_k / lambda_k - 1|: `median`, `p95`, `max`, and `slowest`, the median over the ten eigenvalues nearest
        zero. Paired in order where symmetric, else by least total distance.
    rayleigh_error : dict
        |v_k^T A' v_k / lambda_k - 1| over the eigenvectors of A, the same four; symmetric networks.
    eigenvector_cosine : dict
        cos(A v_k, A' v_k) over the eigenvectors of A: `median`, `p5`, `min`, `slowest`; symmetric networks.
    worst_direction : float
        max |g - 1| over the generalised eigenvalues g of (-A', -A): the theorem's own epsilon; symmetric networks.
    worst_direction_interval : [float, float]
        The smallest and the largest g.
    ramanujan_reference : [float, float]
        1 -+ 2 sqrt(d - 1) / d at the mean degree d after: what the best sparsifiers of large complete graphs reach.
        A yardstick, not a bound.
    kl_per_neuron : float
        KL(N(0, C) || N(0, C')) / n.
    covariance_error : float
        ||C' - C||_F / ||C||_F.
    fixed_point_error : float
        ||A'^-1 b - A^-1 b||_F / ||A^-1 b||_F over 20 standard normal b.
    decay_error : float
        ||exp(A' t) x0 - exp(A t) x0|| / ||exp(A t) x0|| at t = 2 / median leak, x0 uniform on (0, 1).
    trajectory_error : dict
        RMS of the difference over RMS of the original, both networks from rest under the same constant input b
        (standard normal) and the same noise, 5 runs of 10 / median leak: `linear` and `rectified`.
    components_before, components_after : int
        Connected components, whatever the direction of synapses.
    newly_disconnected : int
        Neurons that lost their last input or their last output.
    without_input, without_output : int
        Neurons that have none after.
    sign_flips : int
        Synapses whose sign changed.
    floored_leaks : int
        Neurons whose matched leak is held at its floor.
    largest_strengthening : float
        The largest |W'_ij| / |W_ij|.
    slowest_before, slowest_after : list of float, 1/s
        Real parts of the ten eigenvalues nearest zero of A and of A', the nearest first.
    not_measured : dict
        Name of each measure that is None -> why; of an entry of a dict that is None where others are not, a dotted
        name, as "eigenvalue_error.median".
    spectra : Spectra or None
        The whole spectra, where dense algebra found them; for pictures, and in no file.
    """

    density: float | None
    n_neurons: int
    n_synapses_before: int
    n_synapses_after: int
    symmetric: bool
    spectral_abscissa_before: float | None
    spectral_abscissa_after: float | None
    stable_after: bool | None
    eigenvalue_error: Spread
    rayleigh_error: Spread
    eigenvector_cosine: Spread
    worst_direction: float | None
    worst_direction_interval: list[float] | None
    ramanujan_reference: list[float] | None
    kl_per_neuron: float | None
    covariance_error: float | None
    fixed_point_error: float | None
    decay_error: float | None
    trajectory_error: Spread
    components_before: int
    components_after: int
    newly_disconnected: int
    without_input: int
    without_output: int
    sign_flips: int
    floored_leaks: int
    largest_strengthening: float | None
    slowest_before: list[float] | None = None
    slowest_after: list[float] | None = None
    not_measured: dict[str, str] = field(default_factory=dict)
    spectra: Spectra | None = field(default=None, repr=False, compare=False)

    def __repr__(self) -> str:
        return f"Comparison({(shown('sentence', self) or '').rstrip('.')})"

    @property
    def orphans(self) -> int:
        """Newly disconnected neurons, by their name in the first release."""
        return self.newly_disconnected

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and numbers, fit for strict JSON."""
        found = asdict(replace(self, spectra=None))  # which would be copied
        del found["spectra"]
        return {"schema_version": SCHEMA_VERSION, **found, "orphans": self.orphans}

    @classmethod
    def from_dict(cls, found: dict[str, Any] | None) -> Comparison | None:
        """Make a comparison again from what `to_dict` gave; None of None."""
        if found is None:
            return None
        known = {f.name for f in fields(cls)}
        found = {"newly_disconnected": found.get("orphans")} | found  # its name in the first release
        return cls(**{name: value for name, value in found.items() if name in known})
