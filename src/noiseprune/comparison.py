"""Before and after: what pruning did to spectrum, worst direction, covariance, trajectories and structure.

Every measure is defined where it is computed. What cannot be had, because no stationary state is left, because the
measure belongs to symmetric networks, or because the network is too large for dense algebra, is None, and
``Comparison.not_measured`` says why.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray

from noiseprune import dynamics
from noiseprune.covariance import EPS, SOLVED, Inverse, inverse_lower, is_stable, stationary_covariance
from noiseprune.errors import DidNotConverge, InvalidNetwork, UnstableNetwork
from noiseprune.kinds import Given, network_of
from noiseprune.linalg.spectrum import extreme_generalised, slowest, spectral_abscissa
from noiseprune.linalg.speed import Cost, seconds_a_product, seconds_an_operation
from noiseprune.network import Activation, Network
from noiseprune.randomness import Rng, seed_from, streams
from noiseprune.rule import leak
from noiseprune.structure import components, has_input_and_output, orphans
from noiseprune.threads import blas_alone
from noiseprune.units import Units, scaled

logger = logging.getLogger("noiseprune")

Floats = NDArray[np.float64]
Spread = dict[str, float | None]

SCHEMA_VERSION = 1

DENSE_SYMMETRIC = 5_000  # neurons: eigenvectors in about a minute on two cores
DENSE_COVARIANCE = 3_000  # neurons: two Lyapunov equations in about a minute
DENSE_EIGENVALUES = 2_000  # neurons: two general spectra and their pairing in about a minute
N_SLOWEST = 10
NEARLY = 0.9999  # of the least excess leak
N_FIXED_POINTS = 20
N_RUNS = 5
RUN_LENGTH = 10.0  # in units of 1 / median leak
DECAY_TIME = 2.0  # in units of 1 / median leak
MAX_STEPS = 50_000
LARGE_PRODUCTS = 600  # block products of a comparison without dense algebra, counted on clustered networks
LARGE_OPERATIONS = 2e7  # a neuron, of LOBPCG on its blocks, by the time that they take: most wait for memory


class Spectra(NamedTuple):
    """All eigenvalues of A and of A', nearest zero first, and the generalised ones of (-A', -A), smallest first.

    (n_neurons,) each; `directions` is None where there are none.
    """

    before: NDArray[Any]
    after: NDArray[Any]
    directions: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Comparison:
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
    orphans : int
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
    orphans: int
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
        from noiseprune.reporting.words import verdict

        return f"Comparison({verdict(self)[:-1]})"

    def _repr_html_(self) -> str:
        from noiseprune.reporting.cards import comparison_card

        return comparison_card(self)

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists and numbers, fit for strict JSON."""
        found = asdict(replace(self, spectra=None))  # which would be copied
        del found["spectra"]
        return {"schema_version": SCHEMA_VERSION, **found}


def compare(before: Given, after: Given, *, rng: Rng = 0) -> Comparison:
    """Measure what `after` kept of `before`.

    Parameters
    ----------
    before, after : Network, or (n_neurons, n_neurons) matrix
        Networks of the same neurons; a matrix is read as A = W - diag(leak), (post, pre).
    rng : int, Generator or None
        For inputs, starting points and noise, which both networks share. With the seed of a prune, the numbers of its
        own comparison.

    Raises
    ------
    InvalidNetwork
        Where the two do not have the same neurons.

    Notes
    -----
    Dense algebra, O(n^3), up to 5 000 neurons where symmetric and 2 000 to 3 000 where directed; beyond that what
    needs only products with sparse matrices.

    Examples
    --------
    >>> from noiseprune import gallery
    >>> net = gallery.ring(20)
    >>> same = compare(net, net)
    >>> round(same.worst_direction, 9), same.covariance_error, same.density
    (0.0, 0.0, 1.0)
    """
    return Reference(network_of(before), rng=streams(rng).comparison).compare(network_of(after))


def cost(network: Network) -> Cost:
    """Estimate memory and time of comparing a network with its pruned self."""
    n = network.n_neurons
    if network.symmetric and n <= DENSE_SYMMETRIC:
        return Cost(8.0 * 8 * n * n, 40.0 * n**3 * seconds_an_operation())
    if n <= DENSE_EIGENVALUES:
        return Cost(8.0 * 16 * n * n, 600.0 * n**3 * seconds_an_operation())
    return Cost(
        40.0 * network.n_synapses + 1000.0 * n,
        LARGE_PRODUCTS * seconds_a_product(network.link_matrix, network.n_synapses)
        + LARGE_OPERATIONS * n * seconds_an_operation(),
    )


class Reference:
    """What a comparison needs of the original network, computed once for many pruned ones."""

    def __init__(self, network: Network, *, rng: Rng = 0) -> None:
        self._units = Units.of(network)
        self.network = self._units.enter(network)
        self._side = _Side(self.network)
        self._seeds = np.random.SeedSequence(seed_from(rng)).spawn(4)

    def with_inputs(self, rng: Rng) -> Reference:
        """Return a reference to the same network with other inputs, starting points and noise."""
        other = Reference.__new__(Reference)
        other._units, other.network, other._side = self._units, self.network, self._side
        other._seeds = np.random.SeedSequence(seed_from(rng)).spawn(4)
        return other

    def compare(self, after: Network) -> Comparison:
        """Measure what `after` kept of this network."""
        with np.errstate(over="ignore", invalid="ignore"):  # what leaves the range of numbers is None
            return self._compare(self._entered(after))

    def _compare(self, after: Network) -> Comparison:
        before, measured = self.network, _Measured()
        symmetric = before.symmetric and after.symmetric
        logger.info("comparing %d neurons before and after", before.n_neurons)
        new = _Side(after)
        abscissae, spectrum = self._spectrum(new, symmetric, measured)
        stable = [is_stable(net, a) for net, a in zip((before, after), abscissae, strict=True)]
        restless = _no_stationary_state(*stable)
        if spectrum["kl_per_neuron"] is None and "kl_per_neuron" not in measured.reasons:
            spectrum["kl_per_neuron"] = self._general_kl(new, restless, measured)
        if stable[1] is None:
            measured.skip("stable_after", "the spectral abscissa is not known")
        found = {
            "density": _ratio(after.n_synapses, before.n_synapses, measured),
            "n_neurons": before.n_neurons,
            "n_synapses_before": before.n_synapses,
            "n_synapses_after": after.n_synapses,
            "symmetric": symmetric,
            "spectral_abscissa_before": abscissae[0],
            "spectral_abscissa_after": abscissae[1],
            "stable_after": stable[1],
            "ramanujan_reference": _ramanujan_reference(after, symmetric, measured),
            "covariance_error": self._covariance_error(new, restless, measured),
            "fixed_point_error": self._fixed_point_error(new, measured),
            "decay_error": self._decay_error(after, measured),
            "trajectory_error": {
                "linear": self._trajectory_error(after, "linear", measured),
                "rectified": self._trajectory_error(after, "rectified", measured),
            },
            **spectrum,
            **_structure(before, after, measured),
        }
        return Comparison(**self._left(found), not_measured=measured.missing(found))

    def _entered(self, after: Network) -> Network:
        _check_same_neurons(self.network, after)
        return self._units.enter(after)

    def _left(self, found: dict[str, Any]) -> dict[str, Any]:
        """Return measures with their rates in the units that the network had."""
        rate = self._units.rate
        if not rate:
            return found
        changed: dict[str, Any] = {
            name: scaled(found[name], rate) for name in ("spectral_abscissa_before", "spectral_abscissa_after")
        }
        for name in ("slowest_before", "slowest_after"):
            changed[name] = found[name] and [scaled(value, rate) for value in found[name]]
        spectra = found["spectra"]
        if spectra is not None:
            unit = np.ldexp(1.0, rate)
            changed["spectra"] = spectra._replace(before=spectra.before * unit, after=spectra.after * unit)
        return found | changed

    # --- spectrum -----------------------------------------------------------------------------------------------

    def spectrum(self, after: Network) -> dict[str, Any]:
        """Measure what eigenvalues tell and no more: flat, fit for strict JSON, with why something is missing."""
        after, measured = self._entered(after), _Measured()
        (_, abscissa), found = self._spectrum(_Side(after), self.network.symmetric and after.symmetric, measured)
        reasons = measured.missing(found | {"spectral_abscissa_after": abscissa})
        row, why = {}, {}
        for name, value, *places in (
            ("spectral_abscissa", scaled(abscissa, self._units.rate), "spectral_abscissa_after"),
            (
                "eigenvalue_error_median",
                found["eigenvalue_error"]["median"],
                "eigenvalue_error.median",
                "eigenvalue_error",
            ),
            (
                "eigenvalue_error_slowest",
                found["eigenvalue_error"]["slowest"],
                "eigenvalue_error.slowest",
                "eigenvalue_error",
            ),
            ("worst_direction", found["worst_direction"], "worst_direction"),
        ):
            row[name] = value
            if value is None:
                why[name] = next(reasons[place] for place in places if place in reasons)
        return {**row, "not_measured": "; ".join(f"{name}: {reason}" for name, reason in why.items()) or None}

    def _spectrum(
        self, new: _Side, symmetric: bool, measured: _Measured
    ) -> tuple[tuple[float | None, float | None], dict[str, Any]]:
        """Return the abscissae before and after, and the measures that come from eigenvalues."""
        n, after = self.network.n_neurons, new.network
        found: dict[str, Any] = {
            "eigenvalue_error": dict.fromkeys(("median", "p95", "max", "slowest")),
            "rayleigh_error": dict.fromkeys(("median", "p95", "max", "slowest")),
            "eigenvector_cosine": dict.fromkeys(("median", "p5", "min", "slowest")),
            "worst_direction": None,
            "worst_direction_interval": None,
            "kl_per_neuron": None,
            "slowest_before": None,
            "slowest_after": None,
            "spectra": None,
        }
        if symmetric and n <= DENSE_SYMMETRIC:
            abscissae = self._symmetric_spectrum(after, found, measured)
        elif symmetric:
            with blas_alone():
                abscissae = self._large_symmetric_spectrum(new, found, measured)
        else:
            for name in ("rayleigh_error", "eigenvector_cosine", "worst_direction"):
                measured.skip(name, OF_SYMMETRIC)
            abscissae = self._directed_spectrum(after, found, measured)
        return abscissae, found

    def _symmetric_spectrum(
        self, after: Network, found: dict[str, Any], measured: _Measured
    ) -> tuple[float | None, float | None]:
        values, vectors = self._side.eigen
        pruned = after.matrix().astype(np.float64)
        new_values = scipy.linalg.eigvalsh(pruned.toarray(), driver="evd", overwrite_a=True, check_finite=False)
        _slowest_rates(found, values, new_values)
        found["spectra"] = Spectra(nearest_first(values), nearest_first(new_values))
        image = pruned @ vectors
        form = vectors.T @ image  # A' in the eigenvectors of A
        if np.all(values != 0):
            slow = _slowest(values)
            found["eigenvalue_error"] = _errors(np.abs(new_values / values - 1), slow)
            found["rayleigh_error"] = _errors(np.abs(form.diagonal() / values - 1), slow)
            length = np.maximum(np.linalg.norm(image, axis=0), np.finfo(np.float64).tiny)
            found["eigenvector_cosine"] = _cosines(np.sign(values) * form.diagonal() / length, slow)
        else:
            for name in ("eigenvalue_error", "rayleigh_error", "eigenvector_cosine"):
                measured.skip(name, "the original has an eigenvalue of zero")
        if is_stable(self.network, float(values[-1])):
            scale = 1 / np.sqrt(-values)
            generalised = scipy.linalg.eigvalsh(-form * scale * scale[:, None], driver="evd", check_finite=False)
            _worst_direction(found, float(generalised[0]), float(generalised[-1]))
            found["spectra"] = found["spectra"]._replace(directions=generalised)
            if self.network.equal_noise and _same_noise(self.network, after):
                if generalised[0] > values.size * EPS * generalised[-1]:
                    kl = float(np.sum(generalised - 1 - np.log(generalised))) / 2
                    found["kl_per_neuron"] = kl / values.size
                else:
                    measured.skip("kl_per_neuron", NO_STATIONARY_STATE)
        else:
            measured.skip("worst_direction", "the original is not stable")
        return float(values[-1]), float(new_values[-1])

    def _large_symmetric_spectrum(
        self, new: _Side, found: dict[str, Any], measured: _Measured
    ) -> tuple[float | None, float | None]:
        why = f"needs dense algebra, which stops at {DENSE_SYMMETRIC} neurons"
        dense = [f"eigenvalue_error.{name}" for name in ("median", "p95", "max")]
        for name in (*dense, "rayleigh_error", "eigenvector_cosine", "kl_per_neuron"):
            measured.skip(name, why)
        abscissae: tuple[float | None, float | None]
        try:
            slow, new_slow = self._side.slowest, new.slowest
            found["eigenvalue_error"]["slowest"] = _number(np.median(np.abs(new_slow / slow - 1)))
            _slowest_rates(found, slow, new_slow)
            abscissae = float(slow[0]), float(new_slow[0])
        except (DidNotConverge, UnstableNetwork) as error:
            for name in ("eigenvalue_error.slowest", "slowest_before", "slowest_after"):
                measured.skip(name, str(error))
            abscissae = self._abscissae(new.network, measured)
        if not is_stable(self.network, abscissae[0]):
            measured.skip("worst_direction", "the original is not known to be stable")
            return abscissae
        logger.info("looking for the worst direction")
        try:
            A = self._side.operator
            ends = extreme_generalised(A.product, new.operator.product, A.solve, A.roughly, self.network.n_neurons)
            _worst_direction(found, *ends)
        except (DidNotConverge, UnstableNetwork) as error:
            measured.skip("worst_direction", str(error))
        return abscissae

    def _directed_spectrum(
        self, after: Network, found: dict[str, Any], measured: _Measured
    ) -> tuple[float | None, float | None]:
        if self.network.n_neurons > DENSE_EIGENVALUES:
            why = f"needs dense algebra, which stops at {DENSE_EIGENVALUES} neurons"
            for name in ("eigenvalue_error", "slowest_before", "slowest_after"):
                measured.skip(name, why)
            return self._abscissae(after, measured)
        from scipy.optimize import linear_sum_assignment

        values = self._side.eigenvalues
        new_values = scipy.linalg.eigvals(after.matrix().toarray().astype(np.float64))
        _slowest_rates(found, values, new_values)
        found["spectra"] = Spectra(nearest_first(values), nearest_first(new_values))
        if np.all(values != 0):
            _, partner = linear_sum_assignment(np.abs(values[:, None] - new_values))
            found["eigenvalue_error"] = _errors(np.abs(new_values[partner] / values - 1), _slowest(values))
        else:
            measured.skip("eigenvalue_error", "the original has an eigenvalue of zero")
        return float(values.real.max()), float(new_values.real.max())

    def _abscissae(self, after: Network, measured: _Measured) -> tuple[float | None, float | None]:
        def abscissa(network: Network, when: str) -> float | None:
            try:
                return spectral_abscissa(network.matrix(), symmetric=network.symmetric)
            except DidNotConverge as error:
                return measured.skip(f"spectral_abscissa_{when}", str(error))

        return abscissa(self.network, "before"), abscissa(after, "after")

    # --- covariance ---------------------------------------------------------------------------------------------

    def _covariance_error(self, new: _Side, restless: str | None, measured: _Measured) -> float | None:
        n, after = self.network.n_neurons, new.network
        by_inverse = all(net.symmetric and net.equal_noise for net in (self.network, after))
        limit = DENSE_SYMMETRIC if by_inverse else DENSE_COVARIANCE
        if n > limit:
            return measured.skip("covariance_error", f"needs dense algebra, which stops at {limit} neurons")
        if restless:
            return measured.skip("covariance_error", restless)
        if not by_inverse:
            try:
                C, changed = self._side.covariance, new.covariance
            except (UnstableNetwork, DidNotConverge) as error:
                return measured.skip("covariance_error", str(error))
            return _number(np.linalg.norm(changed - C) / np.linalg.norm(C))
        inverse, new_inverse = self._side.inverse, new.inverse
        if inverse is None or new_inverse is None:
            return measured.skip("covariance_error", "A or A' is singular up to rounding")
        louder = (after.noise_std[0] / self.network.noise_std[0]) ** 2
        return _number(_triangle_norm(louder * new_inverse - inverse) / _triangle_norm(inverse))

    def _general_kl(self, new: _Side, restless: str | None, measured: _Measured) -> float | None:
        """KL(N(0, C) || N(0, C')) / n = (tr(C'^-1 C) - n + ln det C' - ln det C) / (2 n)."""
        n = self.network.n_neurons
        if n > DENSE_COVARIANCE:
            return measured.skip("kl_per_neuron", f"needs dense algebra, which stops at {DENSE_COVARIANCE} neurons")
        if restless:
            return measured.skip("kl_per_neuron", restless)
        try:
            root = scipy.linalg.cholesky(self._side.covariance, lower=True)
            new_root = scipy.linalg.cholesky(new.covariance, lower=True)
        except scipy.linalg.LinAlgError:
            return measured.skip("kl_per_neuron", "a covariance is singular up to rounding")
        except (UnstableNetwork, DidNotConverge) as error:
            return measured.skip("kl_per_neuron", str(error))
        ratio = scipy.linalg.solve_triangular(new_root, root, lower=True)
        log_ratio = 2 * np.sum(np.log(new_root.diagonal()) - np.log(root.diagonal()))
        return _number((np.sum(ratio**2) - n + log_ratio) / (2 * n))

    # --- responses ----------------------------------------------------------------------------------------------

    @cached_property
    def _inputs(self) -> Floats:
        return np.random.default_rng(self._seeds[0]).standard_normal((self.network.n_neurons, N_FIXED_POINTS))

    @cached_property
    def _fixed_points(self) -> Floats:
        return self._side.fixed_points(self._inputs)

    def _fixed_point_error(self, new: _Side, measured: _Measured) -> float | None:
        logger.info("comparing fixed points")
        try:
            before_points, after_points = self._fixed_points, new.fixed_points(self._inputs)
        except np.linalg.LinAlgError:
            return measured.skip("fixed_point_error", "A or A' is singular")
        except (DidNotConverge, UnstableNetwork) as error:
            return measured.skip("fixed_point_error", str(error))
        return _relative(after_points, before_points)

    @cached_property
    def _decayed(self) -> Floats:
        return self._decay(self.network)

    def _decay(self, network: Network) -> Floats:
        import scipy.sparse.linalg as sla

        start = np.random.default_rng(self._seeds[1]).random(network.n_neurons)
        time = self._decay_time
        A = dynamics.linear_operator(network)
        return np.asarray(sla.expm_multiply(A * time, start, traceA=-float(network.leak.sum()) * time))

    @property
    def _decay_time(self) -> float:
        return DECAY_TIME / float(np.median(self.network.leak))

    def _decay_error(self, after: Network, measured: _Measured) -> float | None:
        fastest = self._decay_time / dynamics.safe_step(self.network, after)  # products with A grow with it
        if fastest > MAX_STEPS:
            return measured.skip("decay_error", f"would take {fastest:.0f} time steps; the limit is {MAX_STEPS}")
        return _relative(self._decay(after), self._decayed)

    def _trajectory_error(self, after: Network, activation: Activation, measured: _Measured) -> float | None:
        duration = RUN_LENGTH / float(np.median(self.network.leak))
        step = dynamics.safe_step(self.network, after)
        n_steps = int(np.ceil(duration / step))
        if n_steps > MAX_STEPS:
            return measured.skip("trajectory_error", f"would take {n_steps} time steps; the limit is {MAX_STEPS}")
        units = self._units
        difference = size = 0.0
        for x, y in dynamics.run_both(
            self.network,
            after,
            n_runs=N_RUNS,
            step=step,
            n_steps=n_steps,
            rng=(self._seeds[2], self._seeds[3]),
            activation=activation,
            input_std=float(np.ldexp(1.0, -units.noise - units.rate // 2)),
        ):
            difference += float(np.sum((y - x) ** 2))
            size += float(np.sum(x**2))
        error = _number(np.sqrt(difference / size)) if size > 0 else None
        return error if error is not None else measured.skip(f"trajectory_error.{activation}", OUT_OF_RANGE)


NO_STATIONARY_STATE = "no stationary state is left"
OF_SYMMETRIC = "a measure of symmetric networks"
OUT_OF_RANGE = "it leaves the range of numbers"


def _no_stationary_state(before: bool | None, after: bool | None) -> str | None:
    """Say why two networks have no two covariances; None where they have."""
    if before is False:
        return "the original has no stationary state"
    if after is False:
        return NO_STATIONARY_STATE
    return None if before and after else "not known to be stable"


class _Side:
    """One of the two networks, with what several measures or comparisons need of it."""

    def __init__(self, network: Network) -> None:
        self.network = network

    @cached_property
    def eigen(self) -> tuple[Floats, Floats]:
        """Eigenvalues and eigenvectors of a symmetric A, rightmost last."""
        dense = self.network.matrix().toarray().astype(np.float64)
        return scipy.linalg.eigh(dense, driver="evd", overwrite_a=True, check_finite=False)

    @cached_property
    def eigenvalues(self) -> NDArray[np.complex128]:
        """Eigenvalues of a directed A."""
        return np.asarray(scipy.linalg.eigvals(self.network.matrix().toarray().astype(np.float64)))

    @cached_property
    def covariance(self) -> Floats:
        return stationary_covariance(self.network)[0]

    @cached_property
    def inverse(self) -> Floats | None:
        return inverse_lower(self.network)

    @cached_property
    def operator(self) -> Inverse:
        """-A of a symmetric network and its inverse, at any size."""
        return Inverse(self.network)

    @cached_property
    def slowest(self) -> Floats:
        """The eigenvalues of a symmetric A nearest zero, rightmost first, at any size."""
        logger.info("looking for the slowest modes")
        # no mode is slower than the least excess leak (Gershgorin)
        shift = NEARLY * max(float(self.network.excess_leak.min()), 0.0)
        network, A = self.network, self.operator
        return -np.asarray(
            slowest(
                A.product,
                A.roughly,
                network.n_neurons,
                N_SLOWEST,
                shift=shift,
                shifted_solve=lambda: Inverse(network, shift).solve,
            )
        )

    def fixed_points(self, inputs: Floats) -> Floats:
        """(-A)^-1 b for each column b."""
        network = self.network
        if network.n_neurons <= DENSE_SYMMETRIC:
            return np.asarray(np.linalg.solve(-network.matrix().toarray().astype(np.float64), inputs))
        if network.symmetric:
            return self.operator.solve(inputs)
        from noiseprune.linalg.shiftsolve import Operator

        operator = Operator(network.weights.astype(np.float64), network.leak)
        return np.asarray(operator.solve(inputs, 0.0, SOLVED)[0])


@dataclass
class _Measured:
    """Why some measures are missing."""

    reasons: dict[str, str] = field(default_factory=dict)

    def skip(self, name: str, why: str) -> float | None:
        """Note why a measure is missing; return the None that stands in its place."""
        self.reasons.setdefault(name, why)
        return None

    def missing(self, found: dict[str, Any]) -> dict[str, str]:
        """Return name -> why for what is None among these measures; one name where a whole dict is, for one reason."""
        missing: dict[str, str] = {}
        for name, value in found.items():
            if name == "spectra":
                continue
            if value is None:
                missing[name] = self._why(name)
            elif isinstance(value, dict):
                whys = {key: self._why(f"{name}.{key}", name) for key, entry in value.items() if entry is None}
                whole = len(whys) == len(value) and len(set(whys.values())) == 1
                missing |= {name: min(whys.values())} if whole else {f"{name}.{key}": why for key, why in whys.items()}
        return missing

    def _why(self, *names: str) -> str:
        return next((self.reasons[name] for name in names if name in self.reasons), OUT_OF_RANGE)


def _ramanujan_reference(after: Network, symmetric: bool, measured: _Measured) -> list[float] | None:
    found = ramanujan_reference(after)
    if not symmetric:
        measured.skip("ramanujan_reference", OF_SYMMETRIC)
    elif found is None:
        measured.skip("ramanujan_reference", "the mean degree after is below one")
    return found if symmetric else None


def ramanujan_reference(network: Network) -> list[float] | None:
    """1 -+ 2 sqrt(d - 1) / d at the mean degree d of a symmetric network; None below a degree of one."""
    degree = network.n_synapses / network.n_neurons
    if degree < 1:
        return None
    width = 2 * float(np.sqrt(degree - 1)) / degree
    return [1 - width, 1 + width]


def _check_same_neurons(before: Network, after: Network) -> None:
    if before.n_neurons != after.n_neurons:
        raise InvalidNetwork(
            f"the networks must have the same neurons: {before.n_neurons} before, {after.n_neurons} after"
        )
    if before.labels != after.labels:
        raise InvalidNetwork(_label_difference(before, after))


def _label_difference(before: Network, after: Network) -> str:
    if before.labels is None or after.labels is None:
        return "one network has labels and the other has none: give both the same, or neither"
    i = next(k for k, pair in enumerate(zip(before.labels, after.labels, strict=True)) if pair[0] != pair[1])
    return (
        f"the networks must have the same neurons in the same order; neuron {i} is {before.labels[i]!r} before and "
        f"{after.labels[i]!r} after"
    )


def _same_noise(before: Network, after: Network) -> bool:
    return bool(np.array_equal(before.noise_std, after.noise_std))


def _worst_direction(found: dict[str, Any], low: float, high: float) -> None:
    found["worst_direction"] = max(abs(low - 1), abs(high - 1))
    found["worst_direction_interval"] = [low, high]


def nearest_first(eigenvalues: NDArray[Any]) -> NDArray[Any]:
    """Order eigenvalues by their distance from zero, (n,)."""
    return eigenvalues[np.argsort(np.abs(eigenvalues), kind="stable")]


def _slowest_rates(found: dict[str, Any], values: NDArray[Any], new_values: NDArray[Any]) -> None:
    for name, eigenvalues in (("slowest_before", values), ("slowest_after", new_values)):
        found[name] = [float(rate) for rate in nearest_first(eigenvalues)[:N_SLOWEST].real]


def _triangle_norm(lower: Floats) -> float:
    """Frobenius norm of a symmetric matrix that is given by its lower triangle, with zeros above."""
    diagonal = lower.diagonal()
    return float(np.sqrt(max(2 * np.sum(lower**2) - np.sum(diagonal**2), 0.0)))


def _slowest(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Which eigenvalues are the ten nearest zero; a pair that ties for the last place is in as a whole."""
    size = np.abs(values)
    return size <= np.sort(size)[:N_SLOWEST][-1] * (1 + 1e-9)


def _errors(error: Floats, slow: NDArray[np.bool_]) -> Spread:
    return {
        "median": _number(np.median(error)),
        "p95": _number(np.quantile(error, 0.95)),
        "max": _number(np.max(error)),
        "slowest": _number(np.median(error[slow])),
    }


def _cosines(cosine: Floats, slow: NDArray[np.bool_]) -> Spread:
    return {
        "median": _number(np.median(cosine)),
        "p5": _number(np.quantile(cosine, 0.05)),
        "min": _number(np.min(cosine)),
        "slowest": _number(np.median(cosine[slow])),
    }


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def _ratio(part: float, whole: float, measured: _Measured) -> float | None:
    return part / whole if whole else measured.skip("density", "the original has no synapses")


def _relative(changed: Floats, original: Floats) -> float | None:
    return _number(np.linalg.norm(changed - original) / np.linalg.norm(original))


def _structure(before: Network, after: Network, measured: _Measured) -> dict[str, Any]:
    """Count components, neurons cut off, signs and strengthening."""
    alike = before.symmetric == after.symmetric
    old = before.link_matrix if alike else before.weights
    new = after.link_matrix if alike else after.weights
    weight, changed = _in_both(old, new)
    if not weight.size:
        measured.skip("largest_strengthening", "no synapse is in both networks")
    with np.errstate(over="ignore"):
        ratio = np.abs(changed) / np.abs(weight)
    has_input, has_output = has_input_and_output(after)
    per_entry = before.synapses_per_link if alike else 1
    return {
        "components_before": components(before),
        "components_after": components(after),
        "orphans": int(np.count_nonzero(orphans(before, after))),
        "without_input": int(np.count_nonzero(~has_input)),
        "without_output": int(np.count_nonzero(~has_output)),
        "sign_flips": int(np.count_nonzero(np.sign(changed) != np.sign(weight))) * per_entry,
        "floored_leaks": leak.n_floored(before, after),
        "largest_strengthening": _number(ratio.max()) if ratio.size else None,
    }


def _in_both(old: sp.csr_array, new: sp.csr_array) -> tuple[Floats, Floats]:
    """Return the weights of the entries that both matrices have, in the one and in the other."""

    def filled(matrix: sp.csr_array, data: NDArray[Any]) -> sp.csr_array:
        return sp.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)

    def there(matrix: sp.csr_array, other: sp.csr_array) -> Floats:
        numbers = filled(matrix, np.arange(1, matrix.nnz + 1)).multiply(filled(other, np.ones(other.nnz, np.int8)))
        return matrix.data[numbers.tocsr().data - 1].astype(np.float64)

    return there(old, new), there(new, old)
