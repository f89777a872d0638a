"""Saving and loading: nested data and tensors in one safetensors file, written whole or not at all.

The tensors of a file have names that tell where they stand ("model.0.weight"); everything else, and how it is nested, is
JSON in the file's metadata, under "fastgrad". A flat dictionary of plain tensors needs no such JSON: its file is what
`safetensors` writes in PyTorch too, and such files are read alike. Nothing in a file is ever executed.
"""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
import safetensors
import safetensors.numpy

import fastgrad
from fastgrad import Tensor

__all__ = ["load", "load_metadata", "save", "write_atomically"]

PathLike = str | os.PathLike[str]
_STRUCTURE = "fastgrad"  # the key in the file's metadata
_DTYPES = {
    "BOOL": np.bool_, "U8": np.uint8, "I8": np.int8, "I16": np.int16, "I32": np.int32, "I64": np.int64, "F16": np.float16,
    "F32": np.float32, "F64": np.float64,
}  # fmt: skip


def save(obj: Any, f: PathLike | IO[bytes], *, metadata: Mapping[str, str] | None = None) -> None:
    """Write tensors, numbers, strings and None, in dictionaries, lists and tuples nested in any way, to a file.

    `f` is a path, or a file opened for writing bytes. Tensors of any dtype and strides are written; one that stands in two
    places, as tied weights do, is written once and is one again when loaded; so are views, for themselves. `metadata` is
    a dictionary of strings in the file's header. A file at a path appears whole or not at all, and an older one stays
    until then. Dictionaries of other types come back as `dict`, named tuples as `tuple`.

    Raises TypeError for anything else, naming its place; of a module, an optimizer or a scheduler save the
    `state_dict()`. ValueError for data that contains itself, OSError where the folder cannot be written.

    >>> import fastgrad as torch
    >>> torch.save({"weight": torch.ones(2), "epochs": [1, 2]}, "checkpoint.safetensors")
    >>> torch.load("checkpoint.safetensors")
    {'weight': tensor([1., 1.]), 'epochs': [1, 2]}
    """
    for name, text in (metadata or {}).items():
        if not isinstance(name, str) or not isinstance(text, str):
            raise TypeError(f"save: metadata must map strings to strings, not {name!r} to {text!r}")
        if name == _STRUCTURE:
            raise ValueError(f"save: {_STRUCTURE!r} in the metadata is kept for the structure of what is saved")
    writer = _Writer()
    structure = writer.encode(obj, "")
    header = dict(metadata or {})
    if not writer.plain(obj):
        whole = {"version": 1, "data": structure, "again": list(writer.again)}
        header[_STRUCTURE] = json.dumps(whole, separators=(",", ":"), allow_nan=False)
        # How safetensors' own save_model notes tied weights, so that its load_model finds them.
        header = writer.again | header
    content = safetensors.numpy.save(writer.arrays, metadata=header or None)
    if not isinstance(f, (str, os.PathLike)):
        if not hasattr(f, "write"):
            raise TypeError(f"save: expected a path or a file opened for writing, not {type(f).__name__}")
        f.write(content)
        return
    with write_atomically(f) as file:
        file.write(content)


def load(
    f: PathLike | IO[bytes], map_location: Any = None, *, weights_only: bool = True, mmap: bool | None = None
) -> Any:
    """What `save` wrote; of another program's safetensors file a dictionary of its tensors.

    `f` is a path, or a file opened for reading bytes. Tensors have memory of their own; float16 and bfloat16 become
    float32. `map_location` may only be the CPU; `weights_only` and `mmap` change nothing: no code is ever run.

    Raises FileNotFoundError, and ValueError where the file is damaged or something else; a file of `torch.save` is
    something else, and the error tells how to convert it.

    >>> model.load_state_dict(load("model.safetensors"))  # doctest: +SKIP
    """
    if map_location is not None and fastgrad.device(map_location).type != "cpu":
        raise RuntimeError(f"load: tensors are loaded to the CPU, not to {map_location!r}")
    name, content = _read(f)
    metadata = _header(name, content)
    try:
        parts = safetensors.deserialize(content)
    except safetensors.SafetensorError as error:
        raise ValueError(f"{name}: not a whole safetensors file ({error})") from error
    parts = sorted(parts, key=lambda pair: pair[0])  # the reader's order is another in each call
    tensors = {key: _tensor(name, key, part) for key, part in parts}
    if _STRUCTURE not in metadata:
        return tensors
    try:
        found = json.loads(metadata[_STRUCTURE])
        version = found["version"]
        if version == 1:
            return _Reader(tensors).decode(found["data"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{name}: the description of what it holds is damaged ({error!r})") from error
    raise ValueError(f"{name}: written by a newer fastgrad (format {version})")


def load_metadata(f: PathLike | IO[bytes]) -> dict[str, str]:
    """The strings that ``save(..., metadata=...)`` kept; an empty dict where there are none.

    >>> load_metadata("model.safetensors")["epoch"]  # doctest: +SKIP
    '4'
    """
    metadata = _header(*_read(f))
    own = [_STRUCTURE]
    with suppress(ValueError, KeyError, TypeError):  # a damaged description is for `load` to tell
        own += json.loads(metadata[_STRUCTURE])["again"]
    return {name: text for name, text in metadata.items() if name not in own}


class _Writer:
    """Takes data apart into arrays, by name, and a description that JSON can hold."""

    def __init__(self) -> None:
        self.arrays: dict[str, Any] = {}
        self.again: dict[str, str] = {}  # names of places of a tensor after its first -> the first
        self._known: dict[Any, str] = {}  # memory and geometry of a tensor -> its name
        self._kept: list[Tensor] = []
        self._above: list[int] = []  # the containers that we are in

    def plain(self, obj: Any) -> bool:
        """Whether the file needs no description: a dictionary of tensors by name, and nothing special about them."""
        return (
            isinstance(obj, Mapping)
            and list(obj) == list(self.arrays)
            and not any(isinstance(value, fastgrad.nn.Parameter) or value.requires_grad for value in obj.values())
        )

    def encode(self, value: Any, place: str) -> Any:
        """The description of a value that stands at `place`."""
        if value is None or isinstance(value, (bool, str)):
            return value if value is None or isinstance(value, bool) else str(value)
        if isinstance(value, np.generic):
            return self.encode(value.item(), place)
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {"float": repr(float(value))}
        if isinstance(value, Tensor):
            return self._encode_tensor(value, place)
        if not isinstance(value, (Mapping, list, tuple)):
            raise TypeError(_refusal(value, place))
        if id(value) in self._above:
            raise ValueError(f"save: {place or 'the data'} contains itself")
        self._above.append(id(value))
        made: dict[str, Any]
        if isinstance(value, Mapping):
            pairs = []
            for key, inner in value.items():
                if not (key is None or isinstance(key, (str, int, float, bool, tuple))):
                    raise TypeError(f"save: a key of {place or 'the data'} is a {type(key).__name__}; keys must be strings, "
                                    "numbers, None, or tuples of them")  # fmt: skip
                pairs.append([self.encode(key, f"{place} key"), self.encode(inner, _below(place, key))])
            made = {"dict": pairs}
        else:
            kind = "list" if isinstance(value, list) else "tuple"
            made = {kind: [self.encode(inner, _below(place, k)) for k, inner in enumerate(value)]}
        self._above.pop()
        return made

    def _encode_tensor(self, tensor: Tensor, place: str) -> dict[str, Any]:
        name = place or "tensor"
        identity = (tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tuple(tensor.stride()))
        first = self._known.get(identity) if tensor.numel() else None
        while name in self.arrays or name in self.again:
            name += "_"
        if first is None:
            first = self._known[identity] = name
            self.arrays[name] = np.asarray(tensor.detach().numpy(), order="C")
            self._kept.append(tensor)  # so that nothing else gets its memory meanwhile
        else:
            self.again[name] = first
        made: dict[str, Any] = {"tensor": first}
        if tensor.requires_grad:
            made["requires_grad"] = True
        if isinstance(tensor, fastgrad.nn.Parameter):
            made["parameter"] = True
        return made


class _Reader:
    """Puts data together again."""

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self._tensors = tensors
        self._made: dict[Any, Tensor] = {}

    def decode(self, value: Any) -> Any:
        if not isinstance(value, dict):
            if isinstance(value, list):
                raise TypeError("a list stands alone")
            return value
        if "tensor" in value:
            return self._decode_tensor(value["tensor"], bool(value.get("requires_grad")), bool(value.get("parameter")))
        ((kind, content),) = value.items()
        if kind == "float":
            return float(content)
        if kind == "dict":
            return {self.decode(key): self.decode(inner) for key, inner in content}
        made = [self.decode(inner) for inner in content]
        return {"list": list, "tuple": tuple}[kind](made)

    def _decode_tensor(self, name: str, requires_grad: bool, parameter: bool) -> Tensor:
        key = name, requires_grad, parameter
        if key not in self._made:
            memory = self._tensors[name]
            if parameter:
                self._made[key] = fastgrad.nn.Parameter(memory, requires_grad)
            else:
                self._made[key] = memory.detach().requires_grad_(requires_grad)
        return self._made[key]


def _below(place: str, key: Any) -> str:
    return f"{place}.{key}" if place else str(key)


def _refusal(value: Any, place: str) -> str:
    """What is wrong with a value, and what to save instead."""
    kind = type(value).__name__
    where = f"{place!r} is" if place else "that is"
    if callable(getattr(value, "state_dict", None)):
        short = "model" if isinstance(value, fastgrad.nn.Module) else "it"
        return (
            f"save: {where} a whole {kind}, which is not saved, because loading one would mean to run code; save its state, "
            f"`save({short}.state_dict(), path)`, and load it into one that you make: `{short}.load_state_dict(load(path))`"
        )
    if isinstance(value, np.ndarray):
        return f"save: {where} a NumPy array; save a tensor, `from_numpy(array)`"
    return (
        f"save: {where} of type {kind}, which cannot be saved; dictionaries, lists, tuples, numbers, strings, None and "
        "tensors can"
    )


def _read(f: PathLike | IO[bytes]) -> tuple[str, bytes]:
    """The name of a file, for messages, and its bytes."""
    if not isinstance(f, (str, os.PathLike)):
        if not hasattr(f, "read"):
            raise TypeError(f"load: expected a path or a file opened for reading, not {type(f).__name__}")
        return str(getattr(f, "name", "the file")), f.read()
    name = os.fspath(f)
    if not os.path.isfile(f):
        kind = IsADirectoryError if os.path.isdir(f) else FileNotFoundError
        raise kind(f"no such safetensors file: {name}")
    return name, Path(f).read_bytes()


def _header(name: str, content: bytes) -> dict[str, str]:
    """The strings in a file's header. ValueError for what is no safetensors file."""
    length = int.from_bytes(content[:8], "little")
    try:
        if len(content) < 8 or length > len(content) - 8:
            raise ValueError("the header is not all there")
        metadata = json.loads(content[8 : 8 + length]).get("__metadata__", {})
        return {str(key): str(text) for key, text in metadata.items()}
    except (ValueError, AttributeError) as error:
        if content[:4] == b"PK\x03\x04" or content[:2] in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
            raise ValueError(
                f"{name}: not a whole safetensors file, but perhaps one of PyTorch's torch.save; fastgrad reads no pickles, "
                "because that runs code. Convert it where PyTorch is: "
                "safetensors.torch.save_file(torch.load(path), new_path)"
            ) from None
        raise ValueError(f"{name}: not a whole safetensors file ({error})") from error


def _tensor(name: str, key: str, part: Mapping[str, Any]) -> Tensor:
    """A tensor of its own memory, because in the file one starts at any address and kernels want it aligned."""
    kind, data, shape = part["dtype"], part["data"], part["shape"]
    if kind == "BF16":  # the upper half of a float32
        array = (np.frombuffer(data, np.uint16).astype(np.uint32) << 16).view(np.float32)
    elif kind in _DTYPES:
        array = np.frombuffer(data, _DTYPES[kind])
        array = array.astype(np.float32) if kind == "F16" else array.copy()
    else:
        raise ValueError(f"{name}: {key!r} is of dtype {kind}, which fastgrad does not have")
    return fastgrad.from_numpy(array.reshape(shape))


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


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
