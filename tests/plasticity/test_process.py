import numpy as np
import pytest
import scipy.linalg

import noiseprune
from noiseprune import Network, gallery, probes
from noiseprune.errors import UnstableNetwork
from noiseprune.machine.threads import limit_threads
from noiseprune.plasticity.process import Process, Settings
from noiseprune.rules import RULES
from tests.networks import ALL

SLOW = ("clustered", "sheet")  # modes of hundreds of seconds

SETTINGS = Settings(
    step=0.1,
    window=20.0,
    start=0,
    replicas=1,
    activation="linear",
    drive=np.zeros(1),
    rule=RULES["noise"](),
    leak="original",
    tuning=None,
)


def made(net: Network, seed: int = 71, **changes) -> Process:
    settings = SETTINGS._replace(drive=np.zeros(net.n_neurons), **changes)
    return Process(net, settings, seed)


def advanced(process: Process, n_steps: int) -> Process:
    while n_steps:
        n_steps -= process.run(n_steps)
    return process


def ends(process: Process) -> tuple[np.ndarray, np.ndarray]:
    """Post- and presynaptic neuron of every synapse that the process holds."""
    a = process.arrays
    return np.repeat(np.arange(a["indptr"].size - 1), np.diff(a["indptr"])), a["indices"]


def euler_covariance(net: Network, step: float) -> np.ndarray:
    """Stationary covariance of x <- (I + step A) x + sqrt(step) sigma xi."""
    A = net.matrix().toarray()
    return scipy.linalg.solve_discrete_lyapunov(np.eye(len(A)) + step * A, step * np.diag(net.noise_std**2))


def difference_variance(net: Network, C: np.ndarray) -> np.ndarray:
    post, pre, weight = net.synapses
    return C[post, post] + C[pre, pre] - 2 * np.sign(weight) * C[post, pre]


def measured(process: Process, net: Network) -> np.ndarray:
    """The traces in the order of net.synapses."""
    post, pre = ends(process)
    place = {pair: k for k, pair in enumerate(zip(post.tolist(), pre.tolist(), strict=True))}
    return process.arrays["trace"][
        [place[i, j] for i, j in zip(*(part.tolist() for part in net.synapses[:2]), strict=True)]
    ]


# --- running ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in ALL if name not in SLOW])
def test_traces_become_the_difference_variances_of_the_euler_chain(name):
    """Judged in standard errors: in the slowest mode, replicas are worth a sample each time constant, or more."""
    net, replicas = ALL[name](), 16
    slowest = -np.max(scipy.linalg.eigvals(net.matrix().toarray()).real)
    step = 0.2 / np.max(net.leak + net.total_input)
    start, duration = round(3 / slowest / step), 60 / slowest
    process = advanced(made(net, step=step, replicas=replicas, window=1e9, start=start), start + round(duration / step))
    expected = difference_variance(net, euler_covariance(net, step))
    spread = np.sqrt(2 / (replicas * duration * slowest)) / 3
    # the start from rest leaves e^-6 of the slowest mode's variance missing
    z = (np.cbrt(measured(process, net) / expected) - 1) / spread
    assert np.all(np.abs(z) < 5)


def test_the_bias_of_the_step_halves_with_the_step():
    net = gallery.clustered([12, 8], between=10, signed=True, rng=72)
    exact = probes.Exact().measure(net).value
    bias = [
        np.max(np.abs(difference_variance(net, euler_covariance(net, step)) / exact - 1)) for step in (0.04, 0.02, 0.01)
    ]
    assert bias[0] / bias[1] == pytest.approx(2, rel=0.1)
    assert bias[1] / bias[2] == pytest.approx(2, rel=0.05)
    fastest = np.max(np.abs(scipy.linalg.eigvalsh(net.matrix().toarray())))
    assert bias[2] < 1 / (1 - 0.01 * fastest / 2) - 1, "below the bound for the fastest possible mode"


@pytest.mark.parametrize("replicas", [1, 2, 3])
def test_noise_is_standard_normal_and_independent_between_neurons_replicas_and_steps(replicas):
    """Almost all leaks away within a step, so that the state is the noise of the step."""
    net = gallery.ring(600, excess=1.0, weight=1e-9)
    process = made(net, step=1.0, replicas=replicas)
    states = []
    for _ in range(40):
        advanced(process, 1)
        states.append(process.arrays["x"].copy())
    xi = np.array(states)
    assert abs(xi.mean()) < 5 / np.sqrt(xi.size)
    assert abs(xi.var() - 1) < 5 * np.sqrt(2 / xi.size)
    assert abs(np.mean(xi**4) - 3) < 5 * np.sqrt(96 / xi.size)
    neighbours = [(xi[1:], xi[:-1]), (xi[:, 1:], xi[:, :-1])] + [(xi[..., 1:], xi[..., :-1])] * (replicas > 1)
    for a, b in neighbours:
        assert abs(np.mean(a * b)) < 5 / np.sqrt(a.size)
        assert abs(np.mean((a**2 - 1) * (b**2 - 1))) < 5 * 2 / np.sqrt(a.size)


def test_a_rectified_network_is_measured_as_simulated_measures_it():
    net = gallery.excitatory_inhibitory(30, gain=0.5, rng=73)
    process = made(net, activation="rectified", replicas=64, window=1e9, start=200, step=0.02)
    advanced(process, 200 + 2500)
    simulated = probes.Simulated(activation="rectified", step=0.02, burn_in=10, duration=50).measure(net, rng=74)
    ratio = measured(process, net) / simulated.value
    assert abs(np.mean(ratio) - 1) < 0.02 + 3 * np.sqrt(2 / simulated.n_samples)
    assert np.all(np.abs(ratio - 1) < 8 * np.sqrt(2 / simulated.n_samples))


def test_the_trace_is_a_plain_mean_for_a_window_and_exponential_after():
    net = Network([[0, 0.5], [0.5, 0]], leak=1.0)
    process = made(net, window=1.0, start=3)  # ten steps
    squares = []
    for k in range(40):
        x = process.arrays["x"][:, 0].copy()
        squares.append((x[0] - x[1]) ** 2)
        advanced(process, 1)
        if k < 3:
            assert process.arrays["trace"][0] == 0
        elif k < 13:
            assert process.arrays["trace"][0] == pytest.approx(np.mean(squares[3:]), rel=1e-12)
    v = np.mean(squares[3:13])
    for square in squares[13:]:
        v += 0.1 * (square - v)
    assert process.arrays["trace"][0] == pytest.approx(v, rel=1e-12)


def test_how_steps_are_divided_and_how_many_threads_there_are_changes_no_bit(monkeypatch):
    monkeypatch.setattr("noiseprune.plasticity.process.ALONE", 0)
    net = gallery.clustered([30, 20], between=20, signed=True, rng=75)
    states = []
    for threads, parts in ((1, [300]), (2, [1, 99, 200]), (2, [300])):
        with limit_threads(threads):
            process = made(net, replicas=2)
            for part in parts:
                advanced(process, part)
            process.decide(process.vote(200))
            advanced(process, 50)
        states.append(process.arrays)
    for other in states[1:]:
        assert all(np.array_equal(states[0][name], other[name]) for name in states[0])


# --- deciding ---------------------------------------------------------------------------------------------------------


def outcome(process: Process) -> dict[tuple[int, int], float]:
    """The weight of every synapse that is left, by place."""
    post, pre = ends(process)
    weight = process.arrays["weight"]
    return {(int(i), int(j)): w for i, j, w in zip(post, pre, weight.tolist(), strict=True) if w != 0}


@pytest.mark.parametrize("symmetric", [True, False])
def test_a_decision_reads_nothing_that_its_synapse_cannot_see(symmetric):
    """All other weights, traces, leaks and activities are others while it watches, and NaN once K is fixed.

    The activity of the synapse's own two neurons is the same, and so is its private number: its trace and its new
    weight must then be the same, bit for bit.
    """
    net = gallery.clustered([14, 10], between=12, signed=True, symmetric=symmetric, rng=76)
    random = np.random.default_rng(77)
    seen = made(net)
    activity = []
    for _ in range(30):
        activity.append(seen.arrays["x"].copy())
        advanced(seen, 1)
    post, pre = ends(seen)
    K = seen.vote(0.5 * net.n_links)
    trace = seen.arrays["trace"].copy()
    seen.decide(K)
    expected = outcome(seen)
    decisions = []
    for e in random.choice(post.size, 20, replace=False):
        blind = made(net)
        a, own, others = blind.arrays, [post[e], pre[e]], np.arange(post.size) != e
        a["weight"][others] = random.standard_normal(others.sum())
        a["trace"][others] = random.random(others.sum())
        a["leak"][:] = random.random(net.n_neurons)
        for x in activity:
            a["x"][:] = random.standard_normal(x.shape)
            a["x"][own] = x[own]
            advanced(blind, 1)
        for name in ("x", "leak", "mean", "variance"):
            a[name][:] = np.nan
        for name in ("weight", "trace"):
            a[name][others] = np.nan
        assert a["trace"][e] == trace[e]
        blind.decide(K)
        place = (int(post[e]), int(pre[e]))
        assert outcome(blind).get(place) == expected.get(place)
        decisions.append(place in expected)
    assert 0 < sum(decisions) < len(decisions)


def test_both_directions_of_a_pair_see_and_decide_the_same():
    net = gallery.clustered([30, 20], between=20, signed=True, rng=78)
    process = made(net, leak="matched", replicas=3, tuning=50.0)
    for target in (300, 200, 100):
        advanced(process, 200)
        process.decide(process.vote(target))
        advanced(process, 40)
        process.tune()
        weights = outcome(process)
        assert weights == {(i, j): w for (j, i), w in weights.items()}
        assert np.all(process.network().weights.toarray() == process.network().weights.toarray().T)
        assert process.n_links == target


def test_voting_finds_the_count_and_nothing_but_the_count():
    net = gallery.excitatory_inhibitory(40, rng=79)
    process = advanced(made(net), 300)
    for target in (net.n_links, 200, 17, 1):
        K = process.vote(target)
        assert process._votes(K) == target
    process.arrays["trace"][:100] = 0  # never survive: as many as can are kept
    assert process._votes(process.vote(net.n_links)) == net.n_links - 100


def test_private_numbers_are_uniform_and_differ_from_one_decision_to_the_next():
    """Where everything is equal, the share that survives is p, and a second decision is independent of the first."""
    net = gallery.erdos_renyi(300, 0.5, symmetric=False, rng=80)
    process = made(net, rule=RULES["uniform"]())
    m = net.n_links
    process.decide(0.5)
    first = process.n_links
    process.decide(0.5)
    second = process.n_links
    assert abs(first - m / 2) < 5 * np.sqrt(m / 4)
    assert abs(second - first / 2) < 5 * np.sqrt(first / 4)
    assert np.allclose(np.abs(process.arrays["weight"]), 4 * np.abs(net.links.weight[process.arrays["link"]]))


def test_whose_turn_it_is_is_a_share_drawn_anew_and_the_rest_stay_as_they_are():
    net = gallery.erdos_renyi(300, 0.5, symmetric=False, rng=81)
    process = made(net, rule=RULES["uniform"]())
    process.decide(0.25, share=0.1)
    m, gone = net.n_links, net.n_links - process.n_links
    assert abs(gone - 0.075 * m) < 5 * np.sqrt(0.075 * m)
    changed = process.arrays["weight"] != net.links.weight[process.arrays["link"]]
    assert abs(changed.sum() - 0.1 * m) < 5 * np.sqrt(0.1 * m)


def test_what_survived_a_constant_survives_it_again():
    """w' = 1 / (K v) has p = 1, so pruning little by little keeps with the probability of pruning at once."""
    net = gallery.clustered([30, 20], between=20, rng=82)
    process = advanced(made(net), 500)
    K = process.vote(200)
    process.decide(K)
    left = outcome(process)
    process.decide(K * (1 + 1e-12))  # a rounding of w / p may put p just below one
    assert outcome(process) == pytest.approx(left, rel=1e-9)


def test_once_with_a_long_window_has_the_keep_probabilities_of_prune():
    """Exact is corrected for the time step; the rest is chance, in standard errors of the replicas and the time."""
    net = gallery.clustered([25, 15], between=20, signed=True, rng=83)
    step, duration, replicas = 0.1, 200.0, 32
    slowest = -np.max(scipy.linalg.eigvalsh(net.matrix().toarray()))
    process = made(net, step=step, replicas=replicas, window=1e9, start=round(3 / slowest / step), leak="matched")
    advanced(process, round((3 / slowest + duration) / step))
    K = process.vote(0.4 * net.n_links)
    bias = difference_variance(net, euler_covariance(net, step)) / probes.Exact().measure(net).value
    expected = noiseprune.prune(net, K=K, compare=False).probability.value
    found = K * np.abs(net.synapses.weight) * measured(process, net) / bias
    free = (expected < 1) & (found < 1)
    spread = np.sqrt(2 / (replicas * duration * slowest)) / 3
    z = (np.cbrt(found[free] / expected[free]) - 1) / spread
    assert np.all(np.abs(z) < 5)
    assert abs(np.mean(z)) < 1
    before = measured(process, net)
    process.decide(K)
    p = np.minimum(1, K * np.abs(net.synapses.weight) * before)[: net.n_links]
    kept = np.isinf(process.arrays["pruned_at"])
    assert np.all(kept[p == 1])
    assert abs(kept.sum() - p.sum()) < 5 * np.sqrt(np.sum(p * (1 - p)))
    strengthened = process.network()
    assert np.allclose(strengthened.links.weight, (net.links.weight / p)[kept])
    assert np.allclose(strengthened.dominance_margin, net.dominance_margin, atol=1e-12)


def test_tuning_goes_where_matched_goes():
    """With exact variances in place of traces, small steps lead back to what the synapses remember, as matched does."""
    net = gallery.clustered([20, 10], between=15, signed=True, rng=84)
    net = Network(net.weights, net.leak + 0.05)
    process = made(net, leak="matched", tuning=1.0, window=1.0)
    post, pre = ends(process)
    C = euler_covariance(net, 1e-9)
    exact = C[post, post] + C[pre, pre] - 2 * np.sign(process.arrays["weight"]) * C[post, pre]
    process.arrays["trace"][:] = exact
    process.decide(process.vote(0.5 * net.n_links))
    for _ in range(300):
        inverse = np.linalg.inv(-process.network().matrix().toarray()) / 2
        post, pre = ends(process)
        sign = np.sign(process.arrays["weight"])
        now = inverse[post, post] + inverse[pre, pre] - 2 * sign * inverse[post, pre]
        process.arrays["trace"][:] = now
        process.counters["step"] += 3
        process.tune()
    stays = process.arrays["weight"] != 0
    assert np.allclose(now[stays], process.arrays["remembered"][stays], rtol=1e-2)


@pytest.mark.parametrize("rule", ["weight", "activity"])
def test_the_rivals_look_at_what_they_say(rule):
    net = gallery.clustered([20, 10], between=15, signed=True, rng=85)
    process = advanced(made(net, rule=RULES[rule]()), 500)
    post, pre = ends(process)
    a = process.arrays
    r = np.abs(a["weight"]) * (a["variance"][post] + a["variance"][pre] if rule == "activity" else 1)
    before = outcome(process)
    K = process.vote(0.5 * net.n_links)
    process.decide(K)
    ratio = {place: before[place] / w for place, w in outcome(process).items()}
    expected = {(int(i), int(j)): min(1.0, K * x) for i, j, x in zip(post, pre, r, strict=True)}
    assert ratio == pytest.approx({place: expected[place] for place in ratio})


def test_an_unstable_network_is_caught_at_its_step_in_its_last_good_state():
    net = Network([[0, 2.0], [2.0, 0]], leak=1.0)
    process = made(net, step=0.05)
    with pytest.raises(UnstableNetwork, match=r"the network became unstable at \S+ s \(step \d+\), after 0 decisions"):
        advanced(process, 100_000)
    assert 0 < process.step < 1000
    assert np.all(np.isfinite(process.arrays["x"]))
    assert np.max(np.abs(process.arrays["x"])) <= process._bound
    fast = made(Network([[0, 0.5], [0.5, 0]], leak=100.0), step=0.05)
    with pytest.raises(UnstableNetwork, match="too fast for the time step of 0.05 s; give a step below 0.01 s"):
        advanced(fast, 10_000)
