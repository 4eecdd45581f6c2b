"""The connectivity of The Virtual Brain."""

import bz2
import zipfile

import numpy as np
import pytest

from noiseprune import read
from noiseprune.errors import BadFile
from tests.files.test_tables import edges

WEIGHTS = "0.5 2 0\n0 0 1e-3\n4 0 0\n"
CENTRES = "left  0 0 0\nright 1 0 0\n\nmiddle 0 1 0\n"


def archive(path, **members):
    with zipfile.ZipFile(path, "w") as file:
        for name, text in members.items():
            name = name.replace("__", "/").replace("_", ".")
            file.writestr(name, bz2.compress(text.encode()) if name.endswith("bz2") else text)
    return path


@pytest.mark.parametrize("names", [("weights_txt", "centres_txt"), ("a__weights_txt_bz2", "a__centers_txt_bz2")])
def test_rows_receive_and_names_are_the_first_words(tmp_path, names):
    path = archive(tmp_path / "net.zip", **dict(zip(names, (WEIGHTS, CENTRES), strict=True)), tracts_txt="1 2 3")
    net = read(path)
    assert edges(net) == {("right", "left"): 2.0, ("middle", "right"): 1e-3, ("left", "middle"): 4.0}
    assert net.labels == ("left", "right", "middle")
    assert net.origin["self_connections_dropped"] == 1
    assert net.origin["not_read"] == "tracts.txt"
    assert net.origin["orientation"] == "post-pre, by the convention of The Virtual Brain"
    assert np.array_equal(read(path, orientation="pre-post").weights.toarray(), net.weights.toarray().T)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (
            {"notes_txt": "x"},
            "is a zip archive without weights.txt, which The Virtual Brain keeps there; unpack others",
        ),
        ({"weights_txt": "1 2\n3 4\n5 6\n"}, "weights.txt: has 3 rows and 2 columns: no square matrix"),
        ({"weights_txt": "0 x\n1 0\n"}, "weights.txt: "),
        (
            {"weights_txt": WEIGHTS, "centres_txt": "a 0\nb 1\n"},
            "has 2 names in centres.txt for 3 regions in weights.txt",
        ),
    ],
)
def test_an_archive_that_does_not_hold_together_is_named(tmp_path, members, message):
    with pytest.raises(BadFile, match=message):
        read(archive(tmp_path / "net.zip", **members))
