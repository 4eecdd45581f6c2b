from noiseprune import Network, compare, gallery
from noiseprune.view.words import numbers, rows, verdict
from tests.networks import quiet


@quiet
def test_verdicts_tell_stable_from_unstable_and_whole_from_broken():
    net = gallery.excitatory_inhibitory(60, rng=503)
    hot = compare(net, Network(net.weights * 3, net.leak))
    assert "UNSTABLE (spectral abscissa +" in verdict(hot)
    ring = gallery.ring(10)
    cut = compare(ring, Network(ring.weights * 0, ring.leak))
    assert "10 connected components instead of 1" in verdict(cut)
    assert verdict(compare(ring, ring)).startswith("Kept 100 % of 20 synapses; stable; worst direction")
    alone = Network([[0.0]], 1.0)
    assert "Kept none" in verdict(compare(alone, alone))


def test_every_row_names_its_numbers():
    ring = gallery.ring(10)
    c = compare(ring, ring)
    found = c.to_dict()
    for row in rows({"same": c}):
        for key, value in numbers(c, row).items():
            name, *part = key.split(".")
            assert value == (found[name][part[0]] if part else found[name])
