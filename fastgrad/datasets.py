"""Data sets as tensors in memory: the digits that ship with the package, and MNIST's files."""

from __future__ import annotations

import gzip
import os
from importlib import resources
from pathlib import Path

import numpy as np

import fastgrad
from fastgrad.utils.data import TensorDataset

__all__ = ["DIGITS_MEAN", "DIGITS_STD", "digits", "mnist"]

# Mean and standard deviation of one pixel over the training images.
DIGITS_MEAN, DIGITS_STD = 4.89, 6.02
MNIST_MEAN, MNIST_STD = 0.1307, 0.3081

HELD_OUT = 360  # a fifth of the 1,797 digits


def digits(train: bool = True, *, standardize: bool = True) -> TensorDataset:
    """The 1,797 handwritten 8x8 digits of UCI optdigits: 1,437 to train on, or the 360 held out.

    Samples are (image, label): float32 of shape (64,), int64 scalar. With ``standardize`` a pixel is
    ``(value - DIGITS_MEAN) / DIGITS_STD``, otherwise the file's 0 to 16. The split is one fixed shuffle, so a
    writer's digits may stand on both sides of it.

    Example:
        >>> images, labels = digits(train=False).tensors
        >>> images.shape, int(labels[0])
        (torch.Size([360, 64]), 2)
    """
    with (
        resources.files("fastgrad").joinpath("data/optdigits.npz").open("rb") as file,
        np.load(file) as archive,
    ):
        pixels, labels = archive["pixels"], archive["labels"]
    order = np.random.RandomState(0).permutation(len(labels))
    chosen = order[HELD_OUT:] if train else order[:HELD_OUT]
    images = pixels[chosen].astype(np.float32)
    if standardize:
        images = (images - np.float32(DIGITS_MEAN)) / np.float32(DIGITS_STD)
    return _dataset(images, labels[chosen])


def mnist(root: str | os.PathLike[str], train: bool = True, *, standardize: bool = True) -> TensorDataset:
    """MNIST (or a set in its format, such as Fashion-MNIST) from the ``.gz`` files of the folder ``root``.

    Samples are (image, label): float32 of shape (784,), int64 scalar. A pixel is 0 to 1, and with
    ``standardize`` has MNIST's mean 0.1307 subtracted and is divided by its standard deviation 0.3081.
    Nothing is downloaded: a missing file is a FileNotFoundError, a file in another format a ValueError.

    Example:
        >>> train = mnist("path/to/mnist")  # doctest: +SKIP
    """
    part = "train" if train else "t10k"
    pixels = _read_idx(Path(root) / f"{part}-images-idx3-ubyte.gz", dimensions=3)
    labels = _read_idx(Path(root) / f"{part}-labels-idx1-ubyte.gz", dimensions=1)
    if len(pixels) != len(labels):
        raise ValueError(f"{root}: {len(pixels)} {part} images, but {len(labels)} labels")
    images = pixels.reshape(len(pixels), -1).astype(np.float32) / np.float32(255)
    if standardize:
        images = (images - np.float32(MNIST_MEAN)) / np.float32(MNIST_STD)
    return _dataset(images, labels)


def _read_idx(path: Path, dimensions: int) -> np.ndarray:
    """The bytes of an IDX file: 0, 0, 8 (unsigned bytes), dimensions; sizes as big-endian int32; values."""
    try:
        with gzip.open(path) as file:
            content = file.read()
    except (gzip.BadGzipFile, EOFError) as error:
        raise ValueError(f"{path}: not a whole gzip file ({error})") from error
    start = 4 + 4 * dimensions
    if content[:4] != bytes([0, 0, 8, dimensions]) or len(content) < start:
        raise ValueError(f"{path}: not an IDX file of unsigned bytes in {dimensions} dimension(s)")
    shape = np.frombuffer(content, ">i4", dimensions, offset=4)
    values = np.frombuffer(content, np.uint8, offset=start)
    if values.size != np.prod(shape):
        raise ValueError(f"{path}: holds {values.size} bytes, its header says {'x'.join(map(str, shape))}")
    return values.reshape(shape)


def _dataset(images: np.ndarray, labels: np.ndarray) -> TensorDataset:
    return TensorDataset(fastgrad.from_numpy(images), fastgrad.from_numpy(labels.astype(np.int64)))
