"""Tensors on disk: safetensors files, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import numpy as np
import safetensors
import safetensors.numpy

import fastgrad
from fastgrad import Tensor

__all__ = ["load", "load_metadata", "save", "write_atomically"]

PathLike = str | os.PathLike[str]


def save(state: Mapping[str, Tensor], path: PathLike, *, metadata: Mapping[str, str] | None = None) -> None:
    """Write a flat dict of tensors (a ``state_dict()``) to ``path`` as safetensors.

    Any dtype and strides; views are written out in full. ``metadata`` is a dict of strings, kept in the
    file's header. The file appears whole or not at all, and an older one at ``path`` stays until then.
    Raises TypeError for anything that is not a tensor, naming its key, and OSError where the folder cannot
    be written.

    Example:
        >>> save({"weight": fastgrad.ones(2, 3)}, "model.safetensors", metadata={"epoch": "4"})
        >>> load("model.safetensors")["weight"].shape
        torch.Size([2, 3])
    """
    arrays = {}
    for name, tensor in state.items():
        if not isinstance(name, str):
            raise TypeError(f"save: keys must be strings, not {type(name).__name__}")
        if not isinstance(tensor, Tensor):
            raise TypeError(f"save: {name!r} must be a Tensor, not {type(tensor).__name__}")
        arrays[name] = np.asarray(tensor.detach().numpy(), order="C")
    for name, text in (metadata or {}).items():
        if not isinstance(name, str) or not isinstance(text, str):
            raise TypeError(f"save: metadata must map strings to strings, not {name!r} to {text!r}")
    content = safetensors.numpy.save(arrays, metadata=dict(metadata) if metadata else None)
    with write_atomically(path) as file:
        file.write(content)


def load(path: PathLike) -> dict[str, Tensor]:
    """The tensors of a safetensors file, by name, for ``module.load_state_dict(...)``.

    Raises FileNotFoundError, or ValueError where the file is damaged or is no safetensors file. Nothing in
    such a file is executed.

    Example:
        >>> model.load_state_dict(load("model.safetensors"))  # doctest: +SKIP
    """
    with _opened(path) as file:
        # A copy, because in the file a tensor starts at any address and kernels want it aligned.
        return {name: fastgrad.from_numpy(np.array(file.get_tensor(name))) for name in file.keys()}  # noqa: SIM118


def load_metadata(path: PathLike) -> dict[str, str]:
    """The strings that ``save(..., metadata=...)`` kept; an empty dict where there are none.

    Example:
        >>> load_metadata("model.safetensors")["epoch"]  # doctest: +SKIP
        '4'
    """
    with _opened(path) as file:
        return file.metadata() or {}


@contextmanager
def write_atomically(path: PathLike) -> Iterator[IO[bytes]]:
    """A binary file to write, which takes the name ``path`` when the block ends well, and vanishes otherwise.

    It is written beside ``path``, because a rename is atomic only within one file system, and it is flushed
    to the disk before the rename, because otherwise a power cut may leave the new name on an empty file.

    Example:
        >>> with write_atomically("notes.txt") as file:
        ...     count = file.write(b"whole or not at all")
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"no such folder: {path.parent}")
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())  # as open() would make it; mkstemp makes a private file
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


@contextmanager
def _opened(path: PathLike) -> Iterator[safetensors.safe_open]:
    if not os.path.isfile(path):
        kind = IsADirectoryError if os.path.isdir(path) else FileNotFoundError
        raise kind(f"no such safetensors file: {os.fspath(path)}")
    try:
        with safetensors.safe_open(os.fspath(path), framework="numpy") as file:
            yield file
    except safetensors.SafetensorError as error:
        raise ValueError(f"{os.fspath(path)}: not a whole safetensors file ({error})") from error


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
