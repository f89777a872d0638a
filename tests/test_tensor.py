"""What a tensor is, seen from outside: its fields, its memory, and how it meets Python and NumPy."""

import copy
import math
import warnings

import numpy as np
import pytest

import fastgrad


def test_fields():
    x = fastgrad.zeros(2, 3, dtype=fastgrad.float64)
    assert x.shape == x.size() == (2, 3)
    assert x.size(-1) == 3
    assert (x.ndim, x.dim(), x.numel(), x.nelement(), len(x)) == (2, 2, 6, 6, 2)
    assert (x.element_size(), x.itemsize, x.nbytes) == (8, 8, 48)
    assert (x.stride(), x.stride(0), x.stride(-1)) == ((3, 1), 3, 1)
    assert x.t().stride() == (1, 3)
    assert (x.is_contiguous(), x.t().is_contiguous()) == (True, False)
    assert (x[1].storage_offset(), x[1].data_ptr() - x.data_ptr()) == (3, 24)
    assert (x.dtype, x.device, str(x.device)) == (fastgrad.float64, fastgrad.device("cpu"), "cpu")
    assert (x.requires_grad, x.grad, x.grad_fn, x.is_leaf) == (False, None, None, True)
    assert (x.is_floating_point(), x.is_cuda) == (True, False)
    with pytest.raises(IndexError, match="Dimension out of range"):
        x.size(2)
    with pytest.raises(IndexError, match="Dimension out of range"):
        x.stride(2)
    with pytest.raises(IndexError, match="Dimension specified as 0 but tensor has no dimensions"):
        fastgrad.tensor(1).size(0)


def test_memory_is_aligned_and_shared_by_views():
    for shape in ((1,), (3, 5), (1000, 33)):
        x = fastgrad.zeros(shape)
        assert x.data_ptr() % x.element_size() == 0
        for view in (x.view(-1), x.t() if x.ndim == 2 else x, x[0:1], x.detach(), x.data, x.unsqueeze(0)):
            assert view.data_ptr() == x.data_ptr()
        assert x.clone().data_ptr() != x.data_ptr()


def test_numpy_shares_memory_both_ways():
    x = fastgrad.zeros(2, 3)
    array = x.numpy()
    array[0, 1] = 5
    assert x[0, 1] == 5
    x[1] = 7
    assert array[1].tolist() == [7, 7, 7]
    assert x.t().numpy().strides == (4, 12)
    assert x.numpy().flags.writeable
    assert x.int().numpy().dtype == np.int32

    source = np.arange(4.0)
    y = fastgrad.from_numpy(source)
    y += 1
    assert source.tolist() == [1, 2, 3, 4]
    assert np.shares_memory(y.numpy(), source)
    assert fastgrad.from_numpy(source[::2]).stride() == (2,)


def test_an_array_outlives_its_tensor():
    """The memory is not given to the next tensor while an array can see it."""
    arrays = [fastgrad.full((300,), float(k)).numpy() for k in range(20)]
    views = [fastgrad.full((300,), float(k))[::2].numpy() for k in range(20)]
    kept = [fastgrad.zeros(300) for _ in range(40)]
    for k in range(20):
        assert (arrays[k] == k).all()
        assert (views[k] == k).all()
    assert len(kept) == 40


def test_a_tensor_outlives_its_array():
    x = fastgrad.from_numpy(np.full(1000, 3.0))
    junk = [np.zeros(1000) for _ in range(20)]
    assert (x == 3).all()
    assert len(junk) == 20


def test_numpy_functions_and_operators():
    x = fastgrad.tensor([1.0, 4.0])
    assert np.asarray(x).dtype == np.float32
    assert np.array(x, np.float64).tolist() == [1, 4]
    made = np.sqrt(x)
    assert isinstance(made, fastgrad.Tensor)
    assert made.tolist() == [1, 2]
    assert (x + np.ones(2, np.float32)).tolist() == [2, 5]
    assert (x == np.array([1.0, 3.0])).tolist() == [True, False]
    assert (x * np.float32(2)).dtype is fastgrad.float32
    assert (np.float64(2) * x).tolist() == [2, 8]
    with pytest.raises(TypeError):
        np.ones(2) * x  # as in PyTorch: which of the two should it become?
    y = x.requires_grad_()
    assert (np.float64(2) * y).requires_grad
    with pytest.raises(RuntimeError, match="Can't call numpy"):
        np.asarray(y)
    assert y.numpy(force=True).tolist() == [1, 4]


def test_python_numbers():
    x = fastgrad.tensor(2.5)
    assert x.item() == float(x) == 2.5
    assert type(x.item()) is float
    assert int(x) == 2
    assert round(float(x), 1) == 2.5
    assert math.exp(x) == math.exp(2.5)
    assert bool(x)
    assert not fastgrad.tensor([[0.0]])
    k = fastgrad.tensor(2)
    assert [10, 20, 30][k] == 30
    assert list(range(k)) == [0, 1]
    assert fastgrad.zeros(k, 3).shape == (2, 3)
    assert type(k.item()) is int
    assert type(fastgrad.tensor(True).item()) is bool
    assert fastgrad.tensor([[3]]).item() == 3
    assert fastgrad.tensor([[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]
    assert fastgrad.tensor(1.5).tolist() == 1.5
    assert fastgrad.zeros(0).tolist() == []


def test_tensors_are_keys_by_identity():
    x, y = fastgrad.ones(2), fastgrad.ones(2)
    table = {x: 1, y: 2}
    assert table[x] == 1
    assert len({x, y, x}) == 2
    assert fastgrad.ones(1) == fastgrad.ones(1)


def test_questions():
    x = fastgrad.tensor([1.0, float("nan"), float("inf")])
    assert x.isnan().tolist() == [False, True, False]
    assert fastgrad.isinf(x).tolist() == [False, False, True]
    assert fastgrad.isfinite(x).tolist() == [True, False, False]
    assert not fastgrad.equal(x, x)
    assert not fastgrad.allclose(x, x)
    assert fastgrad.allclose(x, x, equal_nan=True)
    assert fastgrad.equal(fastgrad.ones(2), fastgrad.ones(2, dtype=fastgrad.int64))
    assert not fastgrad.equal(fastgrad.ones(2), fastgrad.ones(1))
    assert fastgrad.isclose(fastgrad.tensor([1.0]), fastgrad.tensor([1.001]), atol=0.01).all()
    assert fastgrad.is_tensor(x)
    assert not fastgrad.is_tensor(x.numpy())
    assert fastgrad.numel(x) == 3
    assert fastgrad.is_floating_point(x)


def test_unique():
    x = fastgrad.tensor([[3, 1], [3, 2]])
    assert x.unique().tolist() == [1, 2, 3]
    values, inverse, counts = fastgrad.unique(x, return_inverse=True, return_counts=True)
    assert values[inverse].tolist() == x.tolist()
    assert counts.tolist() == [1, 1, 2]
    assert fastgrad.unique(fastgrad.tensor([[1, 2], [1, 2], [0, 1]]), dim=0).tolist() == [[0, 1], [1, 2]]
    assert len(fastgrad.tensor([float("nan")] * 2).unique()) == 2
    assert len(fastgrad.zeros(0).unique()) == 0


def test_device():
    device = fastgrad.device
    assert repr(device("cpu")) == "device(type='cpu')"
    assert repr(device("cuda", 1)) == repr(device("cuda:1")) == "device(type='cuda', index=1)"
    assert str(device("cuda:1")) == "cuda:1"
    assert device("cpu") == device(device("cpu"))
    assert len({device("cpu"), device("cpu"), device("cuda")}) == 2
    with pytest.raises(RuntimeError, match="Expected one of cpu, cuda"):
        device("xyz")


def test_every_public_name_is_there():
    for name in fastgrad.__all__:
        assert getattr(fastgrad, name, fastgrad) is not fastgrad or name == "newaxis", name
    assert set(fastgrad.__all__) <= set(dir(fastgrad)) | set(fastgrad._SUBMODULES) | {"load", "save"}
    assert len(set(fastgrad.__all__)) == len(fastgrad.__all__)


def test_every_method_is_documented():
    from fastgrad._methods import METHODS

    for name, method in METHODS.items():
        function = method.fget if isinstance(method, property) else method
        if not name.startswith("__") and function.__name__ != "<lambda>":
            assert function.__doc__, name


def test_names_are_pytorch_s(torch):
    """Nothing public is called what PyTorch does not call it."""
    own = {name for name in fastgrad.__all__ if not hasattr(torch, name)}
    assert not own
    methods = {name for name in dir(fastgrad.Tensor) if not name.startswith("_") and not hasattr(torch.Tensor, name)}
    assert not methods


def test_copying_a_tensor():
    x = fastgrad.tensor([1.0, 2.0], requires_grad=True)
    y = copy.deepcopy(x)
    assert y.tolist() == [1, 2]
    assert y.requires_grad
    assert y.data_ptr() != x.data_ptr()


def test_importing_everything_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from fastgrad import nn, optim, utils

        assert fastgrad.nn is nn
        assert fastgrad.optim is optim
        assert fastgrad.utils is utils


def test_a_shallow_copy_shares_memory():
    x = fastgrad.ones(3, requires_grad=True)
    y = copy.copy(x)
    assert y is not x
    assert y.requires_grad
    assert y.is_leaf
    assert y.data_ptr() == x.data_ptr()
    w = fastgrad.nn.Parameter(x)
    w.note = 1
    v = copy.copy(w)
    assert type(v) is fastgrad.nn.Parameter
    assert (v.data_ptr(), v.note) == (w.data_ptr(), 1)


def test_a_program_that_asks_for_a_graphics_processor_is_told_that_there_is_none():
    assert not fastgrad.cuda.is_available()
    assert fastgrad.cuda.device_count() == 0
    fastgrad.cuda.manual_seed_all(1)
    with pytest.raises(RuntimeError, match="runs on the CPU"):
        fastgrad.cuda.synchronize()
