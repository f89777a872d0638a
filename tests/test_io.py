"""Tensors on disk come back equal, and a file is whole or absent."""

import os
import stat

import numpy as np
import pytest

import fastgrad
from fastgrad import io, nn

DTYPES = [fastgrad.float32, fastgrad.float64, fastgrad.int64, fastgrad.int32, fastgrad.uint8, fastgrad.bool]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (4, 5)], ids=str)
def test_values_shape_and_dtype_come_back(dtype, shape, tmp_path):
    tensor = (fastgrad.rand(shape) * 2).to(dtype)
    io.save({"x": tensor}, tmp_path / "x.safetensors")
    back = io.load(tmp_path / "x.safetensors")["x"]
    assert back.dtype == dtype
    assert tuple(back.shape) == shape
    np.testing.assert_array_equal(back.numpy(), tensor.numpy())


def test_a_model_comes_back(tmp_path):
    model, other = (nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2)) for _ in range(2))
    io.save(model.state_dict(), tmp_path / "model.safetensors")
    other.load_state_dict(io.load(tmp_path / "model.safetensors"))
    x = fastgrad.rand(5, 4)
    np.testing.assert_array_equal(model(x).detach().numpy(), other(x).detach().numpy())


def test_views_are_written_out(tmp_path):
    x = fastgrad.arange(12.0).reshape(3, 4)
    views = {"transposed": x.t(), "row": x[1], "column": x[:, 2], "expanded": x[:1].expand(3, 4)}
    io.save(views, tmp_path / "views.safetensors")
    for name, back in io.load(tmp_path / "views.safetensors").items():
        np.testing.assert_array_equal(back.numpy(), views[name].numpy())


def test_loaded_tensors_can_be_changed(tmp_path):
    io.save({"x": fastgrad.zeros(3)}, tmp_path / "x")
    x = io.load(tmp_path / "x")["x"]
    x += 1
    assert x.tolist() == [1, 1, 1]
    assert io.load(tmp_path / "x")["x"].tolist() == [0, 0, 0]


def test_pytorch_reads_the_file(tmp_path, torch):
    safetensors = pytest.importorskip("safetensors.torch")
    x = fastgrad.rand(3, 4)
    io.save({"x": x}, tmp_path / "x")
    np.testing.assert_array_equal(safetensors.load_file(tmp_path / "x")["x"].numpy(), x.numpy())


def test_metadata(tmp_path):
    io.save({}, tmp_path / "none")
    assert io.load_metadata(tmp_path / "none") == {}
    io.save({"x": fastgrad.zeros(1)}, tmp_path / "some", metadata={"epoch": "4"})
    assert io.load_metadata(tmp_path / "some") == {"epoch": "4"}


def test_load_says_what_is_wrong(tmp_path):
    with pytest.raises(FileNotFoundError, match="absent"):
        io.load(tmp_path / "absent")
    with pytest.raises(IsADirectoryError):
        io.load(tmp_path)
    io.save({"x": fastgrad.zeros(100)}, tmp_path / "x")
    content = (tmp_path / "x").read_bytes()
    for name, damaged in [("cut", content[:-1]), ("empty", b""), ("other", b"PK\x03\x04" + bytes(100))]:
        (tmp_path / name).write_bytes(damaged)
        with pytest.raises(ValueError, match=f"{name}: not a whole safetensors file"):
            io.load(tmp_path / name)


def test_a_write_that_fails_leaves_the_older_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), io.write_atomically(path) as file:
        file.write(b"new, but not wh")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_written_file_has_ordinary_permissions(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    with io.write_atomically(tmp_path / "ours"):
        pass
    assert stat.S_IMODE(os.stat(tmp_path / "ours").st_mode) == stat.S_IMODE(
        os.stat(tmp_path / "plain").st_mode
    )


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder: .*nowhere"):
        io.save({}, tmp_path / "nowhere" / "x")
