"""One file a fault, in tests/bad_files; each is refused with a message that names it, the place, and what to do."""

import importlib.util
from pathlib import Path

import pytest

from noiseprune import read
from noiseprune.errors import NoisePruneError

FOLDER = Path(__file__).parents[1] / "bad_files"

NEEDS = {
    ".graphml": "networkx",
    ".gml": "networkx",
    ".gexf": "networkx",
    ".net": "networkx",
    ".h5": "h5py",
    ".nir": "nir",
    ".safetensors": "safetensors",
    ".pt": "torch",
}
COPY = "check that it was copied whole, or write it again"
MESSAGES = {
    "bad_pointers.h5": f"no readable HDF5 file: indices must be < 2: {COPY}",
    "broken.csv.gz": "cannot be read: Compressed file ended",
    "damaged_record.npy": "the record of the network is damaged: it has no 'leak'",
    "dangling.gml": f"no readable GML file: edge #0 has undefined target 9: {COPY}",
    "decimal_commas.csv": "line 2, column 'weight' holds '0,5', which is no finite number .2 such rows.: give decimal_comma=True",
    "empty.csv": "is empty; a network was expected",
    "entities.graphml": "holds '<!DOCTYPE'; GraphML in UTF-8 without document types was expected",
    "fractional_ids.parquet": "the column 'pre' holds floating-point numbers, 1.5 among them.*: save it as integers or strings",
    "gates.safetensors": "holds only matrices of gates, weight_hh_l0: prune the module by noiseprune.torch",
    "header_only.csv": "has a header and no rows",
    "hole_in_matrix.txt": "line 2, column 3 holds 'x', which is no finite number",
    "index_out_of_range.npz": f"no readable .npz of a SciPy sparse matrix.*: indices must be < 2: {COPY}",
    "infinite_weight.tsv": "line 3, column 'weight' holds 'inf', which is no finite number .1 such rows.: mend or drop",
    "latin1.csv": "cannot be read as a table; it is not UTF-8: save it as that",
    "missing_id.csv": "line 3 has no pre neuron: mend or drop it",
    "missing_id.parquet": "row 2 has no pre neuron: mend or drop it",
    "missing_weight.graphml": "edge .'b', 'a'. has weight = None, where a finite number was expected .*weight=",
    "names_in_another_order.csv": "number 1 is 'b' beside and 'a' above: bring them into one order",
    "nan_weight.feather": "row 2, column 'weight' holds 'NaN', which is no finite number",
    "neither.csv": "neither a square matrix .3 rows, 4 columns. nor an edge list .*: make the matrix square, or "
    "name the columns with pre= and post=",
    "no_banner.mtx": f"no readable Matrix Market file: Line 1: .*Missing banner.*: {COPY}",
    "no_edges.sonata.h5": "has no group /edges, where SONATA keeps synapses",
    "no_loop.nir": "no linear or affine node that leads from a population back to itself",
    "no_matrix.h5": "holds no square matrix of numbers",
    "no_matrix.mat": "holds no square matrix of numbers",
    "no_pre_column.csv": "no column for pre among 'who', 'post', 'weight'.*: name it with pre=",
    "no_sparse_matrix.npz": "holds no square matrix of numbers; it holds a .*",
    "not_arrow.feather": f"no readable Arrow .Feather. file.*: {COPY}",
    "not_gml.gml": f"no readable GML file: expected .* found EOF .*: {COPY}",
    "not_hdf5.h5": f"no readable HDF5 file: .*signature not found.: {COPY}",
    "not_matlab.mat": f"no readable MATLAB file: .*: {COPY}",
    "not_nir.nir": f"no readable NIR graph: .*: {COPY}",
    "not_numpy.npy": "no readable .npy array: it is damaged, or holds Python objects, which are never loaded",
    "not_parquet.parquet": f"no readable Parquet file: .*: {COPY}",
    "not_tensors.safetensors": f"no readable safetensors file: .*header too large.*: {COPY}",
    "not_xml.graphml": f"no readable GraphML file: syntax error: line 1, column 0: {COPY}",
    "not_zip.npz": "no readable .npz .*: it is damaged, or holds Python objects, which are never loaded",
    "objects.npy": "it is damaged, or holds Python objects, which are never loaded",
    "oblong.npy": "must be a square matrix .n_neurons, n_neurons.; got shape .2, 3.",
    "only_comments.csv": "is empty but for comments; an edge list or a square matrix was expected",
    "open_quote.csv": "line 2 has 1 columns where line 1 has 3; mend that line .*a quote its partner",
    "pickle.pt": f"no readable PyTorch state_dict: .*: {COPY}",
    "ragged.csv": "line 3 has 4 columns where line 1 has 3; mend that line",
    "record_of_another_version.csv": "has format version 99; this noiseprune reads version 1: upgrade it",
    "rounded_ids.parquet": "holds floating-point numbers, 7.2e.17 among them, so ids have lost their last digits",
    "short.mtx": f"no readable Matrix Market file: Truncated file.*: {COPY}",
    "struct.mat": r"holds no matrix 'net'; those it holds are W, net\.W",
    "two_matrices.h5": "holds 2 matrices, a, b/c: choose one with variable=",
    "two_matrices.mat": "holds 2 matrices, A, B: choose one with variable=",
    "two_matrices.safetensors": "holds 2 matrices, a, b: choose one with variable=",
    "two_pre_columns.csv": "two columns could be the pre column, 'pre' and 'source': choose with pre=",
    "unequal.sonata.h5": "/edges/e has 3 sources and 2 targets; ids count from 0",
    "unknown.xyz": "unknown suffix '.xyz'; known are .csv, .tsv",
    "utf16.csv": "is UTF-16 text; save it as UTF-8",
    "which_weight.graphml": "several attributes of the edges could be the weight, fibers, length: choose with weight=",
    "word.mtx": "line 3 holds 'one', which is no finite number",
    "word_for_weight.csv": "line 3, column 'weight' holds 'many', which is no finite number .1 such rows.: mend or drop",
}
OPTIONS = {"struct.mat": {"variable": "net"}}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_bad_file_is_refused_with_its_name_the_place_and_what_to_do(name):
    library = NEEDS.get(Path(name).suffix)
    if library and importlib.util.find_spec(library) is None:
        pytest.skip(f"needs {library}")
    with pytest.raises(NoisePruneError, match=MESSAGES[name]) as caught:
        read(FOLDER / name, **OPTIONS.get(name, {}))
    assert name in str(caught.value)


def test_every_bad_file_has_its_message():
    assert {path.name for path in FOLDER.iterdir() if path.suffix != ".json"} == set(MESSAGES)
