import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import noiseprune
from noiseprune import Network
from noiseprune.errors import InvalidNetwork

A = [[-4.0, 0.5, 0.0], [0.5, -4.0, 1.0], [0.0, 1.0, -4.0]]  # exact in every dtype below
WHOLE = [[-4, 1, 0], [1, -4, 1], [0, 1, -4]]

LAYOUTS = {
    "strided": lambda t: t,
    "transposed": lambda t: t.T.contiguous().T,
    "coo": lambda t: t.to_sparse(),
    "csr": lambda t: t.to_sparse_csr(),
    "csc": lambda t: t.to_sparse_csc(),
    "bsr": lambda t: t.to_sparse_bsr((1, 1)),
    "hybrid": lambda t: t.to_sparse(1),
}
FLOATS = [torch.float64, torch.float32, torch.float16, torch.bfloat16]
WHOLES = [torch.int8, torch.int16, torch.int32, torch.int64]


@pytest.fixture(autouse=True)
def _beta():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse", category=UserWarning)
        yield


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", FLOATS + WHOLES, ids=str)
def test_a_tensor_of_any_type_and_layout_is_read_as_the_matrix_that_it_holds(dtype, layout):
    values = A if dtype.is_floating_point else WHOLE
    given = LAYOUTS[layout](torch.tensor(values, dtype=dtype))
    net = Network.from_matrix(given)
    assert np.array_equal(net.matrix().toarray(), np.array(values))
    half = dtype in (torch.float16, torch.bfloat16, torch.float32)
    assert net.link_matrix.dtype == (np.float32 if half else np.float64)
    assert np.array_equal(noiseprune.prune(given, density=1.0).original.matrix().toarray(), np.array(values))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients_stay_behind_and_the_tensor_is_left_as_it_is(layout):
    given = LAYOUTS[layout](torch.tensor(A)).requires_grad_()
    Network.from_matrix(given)
    assert given.requires_grad
    assert torch.equal(given.detach().to_dense() if layout != "strided" else given.detach(), torch.tensor(A))


def test_parameters_are_pruned_and_come_back_as_arrays():
    weights = torch.nn.Parameter(torch.tensor(A))
    assert isinstance(noiseprune.prune(weights, density=1.0).in_kind, np.ndarray)
    sparse = noiseprune.prune(torch.tensor(A).bfloat16().to_sparse_csc(), density=1.0).in_kind
    assert (sparse.format, sparse.dtype) == ("csc", np.float32)


def test_leak_and_noise_may_be_tensors():
    W = np.array([[0, 1.0], [1, 0]])
    for one in (
        torch.tensor(2.0),
        torch.tensor(2.0, requires_grad=True),
        torch.tensor(2),
        torch.tensor(2.0).bfloat16(),
    ):
        net = Network(W, torch.full((2,), 2.0, requires_grad=True), noise_std=one)
        assert net.leak.tolist() == net.noise_std.tolist() == [2, 2]
    assert Network(W, torch.tensor([2.0, 3.0]).to_sparse()).leak.tolist() == [2, 3]
    assert noiseprune.with_base_leak(torch.tensor(W), torch.tensor(1.5)).leak.tolist() == [1.5, 1.5]


def test_duplicates_of_small_integers_are_summed_without_wrapping():
    given = torch.sparse_coo_tensor([[0, 0, 1], [0, 0, 1]], torch.tensor([-100, -100, -1], dtype=torch.int8), (2, 2))
    assert Network.from_matrix(given).leak.tolist() == [200, 1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: torch.empty(2, 2, device="meta"), r"tensor on meta \(and .* no numbers yet.*with \.cpu\(\)"),
        (lambda: torch.ones(2, 2, dtype=torch.complex64), "must hold real numbers; got torch.complex64"),
        (lambda: torch.ones(2, 3), r"must be a square matrix .* got shape \(2, 3\)"),
        (lambda: torch.ones(2, 2, 2).to_sparse_csr(), r"got shape \(2, 2, 2\)"),
        (
            lambda: torch.sparse_csr_tensor([0, 1, 9], [0, 7], torch.ones(2), (2, 2), check_invariants=False),
            "is a tensor that cannot be read",
        ),
    ],
)
def test_tensors_that_hold_no_matrix_are_refused(make, message):
    for read in (
        Network.from_matrix,
        lambda given: Network(given, 1.0),
        lambda given: noiseprune.prune(given, density=0.5),
    ):
        with pytest.raises(InvalidNetwork, match=message):
            read(make())


def test_a_leak_that_is_complex_or_elsewhere_is_refused():
    W = np.array([[0, 1.0], [1, 0]])
    with pytest.raises(InvalidNetwork, match=r"leak is a tensor on meta"):
        Network(W, torch.ones(2, device="meta"))
    with pytest.raises(InvalidNetwork, match="noise_std must hold real numbers"):
        Network(W, 1.0, torch.ones(2, dtype=torch.complex128))
