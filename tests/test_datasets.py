"""The digits that ship with the package, and the IDX reader on files made here."""

import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

import fastgrad
from fastgrad import datasets

DATA = Path(datasets.__file__).parent / "data"


def test_digits_are_split_and_standardized():
    images, labels = datasets.digits().tensors
    held_out, held_out_labels = datasets.digits(train=False).tensors
    assert images.shape == (1437, 64)
    assert held_out.shape == (360, 64)
    assert images.dtype == fastgrad.float32
    assert labels.dtype == fastgrad.int64
    assert images.numpy().mean() == pytest.approx(0, abs=1e-3)
    assert images.numpy().std() == pytest.approx(1, abs=1e-3)
    for part in (labels, held_out_labels):
        assert sorted(part.unique().tolist()) == list(range(10))
    rows = {row.tobytes() for row in images.numpy()}
    assert not any(row.tobytes() in rows for row in held_out.numpy())


def test_digits_are_the_source_s():
    from sklearn.datasets import load_digits

    source = load_digits()
    with np.load(DATA / "optdigits.npz") as archive:
        np.testing.assert_array_equal(archive["pixels"], source.data)
        np.testing.assert_array_equal(archive["labels"], source.target)
    raw = datasets.digits(standardize=False).tensors[0].numpy()
    assert raw.min() == 0
    assert raw.max() == 16


def test_the_file_is_small_and_its_licence_stands_beside_it():
    assert (DATA / "optdigits.npz").stat().st_size < 80_000
    notice = (DATA / "LICENSE-optdigits.txt").read_text()
    for text in ("archive.ics.uci.edu", "CC BY 4.0", "Alpaydin"):
        assert text in notice


def test_the_split_does_not_depend_on_the_seed():
    digests = set()
    for seed in (1, 2):
        fastgrad.manual_seed(seed)
        digests.add(hashlib.sha256(datasets.digits(train=False).tensors[0].numpy().tobytes()).hexdigest())
    assert len(digests) == 1


def write_idx(path, array, header=None):
    header = header or struct.pack(f">BBBB{array.ndim}i", 0, 0, 8, array.ndim, *array.shape)
    path.write_bytes(gzip.compress(header + array.tobytes()))


@pytest.fixture
def folder(tmp_path):
    pixels = np.arange(5 * 28 * 28).reshape(5, 28, 28).astype(np.uint8)
    write_idx(tmp_path / "train-images-idx3-ubyte.gz", pixels)
    write_idx(tmp_path / "train-labels-idx1-ubyte.gz", np.arange(5, dtype=np.uint8))
    return tmp_path


def test_mnist_files_are_read(folder):
    images, labels = datasets.mnist(folder, standardize=False).tensors
    assert images.shape == (5, 784)
    assert labels.tolist() == [0, 1, 2, 3, 4]
    assert images.numpy()[0, 51] == np.float32(51) / np.float32(255)
    standardized = datasets.mnist(folder).tensors[0].numpy()
    np.testing.assert_allclose(standardized, (images.numpy() - 0.1307) / 0.3081, rtol=1e-5, atol=1e-6)


def test_mnist_says_what_is_wrong(folder):
    with pytest.raises(FileNotFoundError, match="t10k-images"):
        datasets.mnist(folder, train=False)
    labels = folder / "train-labels-idx1-ubyte.gz"
    write_idx(labels, np.arange(4, dtype=np.uint8))
    with pytest.raises(ValueError, match="5 train images, but 4 labels"):
        datasets.mnist(folder)
    write_idx(labels, np.arange(4, dtype=np.uint8), struct.pack(">BBBBi", 0, 0, 8, 1, 5))
    with pytest.raises(ValueError, match="holds 4 bytes, its header says 5"):
        datasets.mnist(folder)
    write_idx(labels, np.arange(4, dtype=np.uint8), b"PNG!")
    with pytest.raises(ValueError, match="not an IDX file"):
        datasets.mnist(folder)
    labels.write_bytes(b"plain text")
    with pytest.raises(ValueError, match="not a whole gzip file"):
        datasets.mnist(folder)
    labels.write_bytes(gzip.compress(bytes(100))[:-9])
    with pytest.raises(ValueError, match="not a whole gzip file"):
        datasets.mnist(folder)
