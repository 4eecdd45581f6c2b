"""The connectivity of The Virtual Brain: a zip archive of texts, ``weights.txt`` and ``centres.txt``, each perhaps bz2.

``weights[i, j]`` leads from region j to region i: TVB sums a row for the input of a region.
See https://docs.thevirtualbrain.org, "Connectivity".
"""

from __future__ import annotations

import bz2
import zipfile
from dataclasses import replace
from pathlib import Path, PurePosixPath

from noiseprune.errors import BadFile
from noiseprune.machine.memory import available_bytes
from noiseprune.sources.files import text
from noiseprune.sources.files.found import Found
from noiseprune.sources.files.matrices import name_neurons, naming_damage, take_square, text_matrix
from noiseprune.sources.files.sources import BYTES_PER_BYTE
from noiseprune.sources.reading import ReadOptions

WEIGHTS = ("weights.txt", "weights.txt.bz2")
CENTRES = ("centres.txt", "centres.txt.bz2", "centers.txt", "centers.txt.bz2")


def read_tvb(path: Path, options: ReadOptions) -> Found:
    """Read weights, and names from the first word of each line of the centres; tract lengths and the rest are left.

    Raises
    ------
    BadFile
        Where it is damaged, has no square matrix of weights, or other names than regions.
    """
    with naming_damage(path, "zip archive of The Virtual Brain"), zipfile.ZipFile(path) as archive:
        members = {PurePosixPath(name).name: name for name in archive.namelist() if not name.endswith("/")}
        weights, centres = (next((name for name in names if name in members), None) for names in (WEIGHTS, CENTRES))
        if weights is None:
            raise BadFile(
                f"{path}: is a zip archive without weights.txt, which The Virtual Brain keeps there; unpack others and "
                "name the file inside"
            )
        inside = path / members[weights]
        cells = text.parse(_unpacked(archive, members[weights], path), inside)
        grid = text_matrix(cells, inside)
        if grid is None or grid.oblong:
            raise BadFile(f"{inside}: has {cells.cells.height} rows and {cells.cells.width} columns: no square matrix")
        names = None
        if centres is not None:
            lines = _unpacked(archive, members[centres], path).decode("utf-8").splitlines()
            names = [line.split()[0] for line in lines if line.strip()]
            if len(names) != len(grid.values):
                raise BadFile(
                    f"{path}: has {len(names)} names in {centres} for {len(grid.values)} regions in {weights}"
                )
    orientation = options.orientation or "post-pre"
    found = take_square(
        grid.values,
        None if names is None else name_neurons(names),
        path,
        replace(options, orientation=orientation),
        "The Virtual Brain",
    )
    said = {"orientation": options.orientation or "post-pre, by the convention of The Virtual Brain"}
    if left := [name for name in members if name not in (weights, centres)]:
        said["not_read"] = ", ".join(left[:12])
    return replace(found, counts=grid.counts | found.counts | said, content="weights")


def _unpacked(archive: zipfile.ZipFile, name: str, path: Path) -> bytes:
    """Decompress a member, in the limits of memory."""
    limit = available_bytes() // BYTES_PER_BYTE
    with archive.open(name) as member:
        stream = bz2.BZ2File(member) if name.endswith(".bz2") else member
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise BadFile(f"{path}: {name} does not fit into memory when decompressed")
    return data
