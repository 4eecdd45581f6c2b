"""Rules and strengthenings are values: a name, our object and a user's own are the same to prune, sweep, compare and report."""

import json

import numpy as np
import pytest

import noiseprune
from noiseprune import gallery, probes, rules, strengthenings
from noiseprune.errors import InvalidOption
from noiseprune.rules import RULES
from noiseprune.strengthenings import STRENGTHENINGS
from noiseprune.strengthenings.base import as_drawn, reweighted
from noiseprune.view.pages.commands import in_python
from tests.networks import quiet

NET = gallery.clustered([30, 20], within=0.6, between=30, signed=True, rng=81)
DIRECTED = gallery.excitatory_inhibitory(40, rng=82)


class Presynaptic:
    """Not one of ours by class, but by what it does."""

    name = "presynaptic"
    needs = ("variance",)

    def gaps(self, network):
        return ["the rule is of our own"]

    def importance(self, network, measured):
        _, pre, weight = network.links
        return np.abs(weight) * np.sqrt(measured.neuron_variance[pre])


class Half(strengthenings.Strengthening):
    name = "half"

    def apply(self, draft, rng):
        middle = (draft.network.links.weight[draft.kept] + draft.start.data) / 2
        return as_drawn(draft.network, reweighted(draft.start, middle), draft.leak)


def same(one, other):
    assert np.array_equal(one.kept, other.kept)
    assert np.array_equal(one.network.weights.toarray(), other.network.weights.toarray())
    assert np.array_equal(one.network.leak, other.network.leak)


@quiet
@pytest.mark.parametrize("name", RULES)
def test_the_object_of_a_rule_does_what_its_name_does(name):
    one, other = (noiseprune.prune(NET, density=0.5, rule=rule, compare=False, rng=1) for rule in (name, RULES[name]()))
    same(one, other)
    assert one.rule == other.rule == name


@quiet
@pytest.mark.parametrize("name", STRENGTHENINGS)
def test_the_object_of_a_strengthening_does_what_its_name_does(name):
    made = (name, STRENGTHENINGS[name]())
    same(*(noiseprune.prune(NET, density=0.6, strengthen=how, compare=False, rng=1) for how in made))


@quiet
def test_a_rule_and_a_strengthening_of_the_users_own_work_everywhere(tmp_path):
    result = noiseprune.prune(DIRECTED, density=0.5, rule=Presynaptic(), strengthen=Half(), rng=2)
    before, after = result.original.weights, result.network.weights
    assert 0.3 < after.nnz / before.nnz < 0.7
    chosen = result.provenance["chosen"]
    assert (chosen["rule"], chosen["strengthen"], chosen["unbiased"]) == ("presynaptic", "half", False)
    assert "the rule is of our own" in result.provenance["theorem"]["gaps"]
    json.dumps(result.provenance, allow_nan=False)
    noiseprune.report(result, tmp_path / "page.html")
    assert "presynaptic" in (tmp_path / "page.html").read_text(encoding="utf-8")
    result.save(tmp_path / "run.npz")
    same(result, noiseprune.load(tmp_path / "run.npz"))
    assert noiseprune.compare(DIRECTED, result.network).covariance_error == result.comparison.covariance_error
    table = noiseprune.sweep(
        DIRECTED, densities=[0.5], rules=["noise", Presynaptic()], strengthenings=[Half()], draws=2
    )
    assert {(row["rule"], row["strengthen"]) for row in table.rows} == {("noise", "half"), ("presynaptic", "half")}


def test_what_is_no_rule_is_refused_by_what_it_lacks():
    with pytest.raises(InvalidOption, match="rule.*importance"):
        noiseprune.prune(NET, density=0.5, rule=object())
    with pytest.raises(InvalidOption, match="strengthen.*apply"):
        noiseprune.prune(NET, density=0.5, strengthen=object())


@quiet
def test_a_capped_factor_is_never_exceeded_and_does_not_call_itself_unbiased():
    result = noiseprune.prune(NET, density=0.3, strengthen=strengthenings.Reciprocal(cap=1.5), compare=False, rng=3)
    before = result.original.links.weight[result.kept_links]
    assert np.max(result.network.links.weight / before) == pytest.approx(1.5)
    assert not result.provenance["chosen"]["unbiased"]
    free = noiseprune.prune(NET, density=0.3, strengthen="reciprocal", compare=False, rng=3)
    assert free.provenance["chosen"]["unbiased"]
    assert np.max(free.network.links.weight / before) > 1.5


def test_the_command_on_a_page_repeats_a_prune_with_objects():
    how = {
        "rule": rules.Weight(),
        "strengthen": strengthenings.Reciprocal(cap=2.0),
        "probe": probes.Sketched(samples=32),
    }
    result = noiseprune.prune(NET, density=0.5, compare=False, rng=4, **how)
    line = in_python(result.provenance).splitlines()[-1]
    again = {"noiseprune": noiseprune, "net": NET}
    exec(line, again)
    same(result, again["result"])


SAMPLED = [probes.Sketched(samples=400), probes.Simulated(replicas=64, duration=40.0)]


@pytest.mark.parametrize("net", [NET, DIRECTED], ids=["symmetric", "directed"])
@pytest.mark.parametrize("probe", SAMPLED, ids=["sketched", "simulated"])
def test_every_probe_measures_all_quantities_in_one_pass(net, probe):
    wanted = ("difference_variance", "variance", "second_moments")
    exact, found = (one.measure(net, rng=5, quantities=wanted) for one in (probes.Exact(), probe))
    assert np.array_equal(found.value, probe.measure(net, rng=5).value), "more quantities, the same draws"
    error = np.sqrt(2 / found.n_samples)
    far = (found.neuron_variance / exact.neuron_variance - 1) / error
    assert np.sqrt(np.mean(far**2)) < 2
    some = np.arange(5)
    C, D = (one.second_moments.block(some) for one in (exact, found))
    assert np.allclose(np.diag(C), exact.neuron_variance[some])
    spread = np.sqrt((np.outer(np.diag(C), np.diag(C)) + C**2) / found.n_samples)
    assert np.all(np.abs(D - C) < 6 * spread)
