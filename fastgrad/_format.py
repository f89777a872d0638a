"""How a tensor prints: PyTorch's form, digit for digit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import _dtype


class _Options:
    """What `set_printoptions` sets."""

    precision = 4  # digits behind the point
    threshold: float = 1000  # more elements than this are summarised
    edgeitems = 3  # elements shown at both ends of a summarised dimension
    linewidth = 80
    sci_mode: bool | None = None  # None: by the numbers


_PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors print; what is None stays, but `sci_mode`, where None lets the numbers decide.

    `profile` is "default", "short" or "full" and sets the first four.

    >>> import fastgrad as torch
    >>> torch.set_printoptions(precision=2)
    >>> torch.tensor([1.23456])
    tensor([1.23])
    >>> torch.set_printoptions(profile="default")
    """
    given = dict(_PROFILES[profile]) if profile is not None else {}
    asked = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    given |= {name: value for name, value in asked.items() if value is not None}
    for name, value in given.items():
        setattr(_Options, name, value)
    _Options.sci_mode = sci_mode


class _Style:
    """How the numbers of one tensor are written: as integers, with a fixed number of digits, or in scientific form."""

    def __init__(self, values: Any) -> None:
        self.floating = values.dtype.kind == "f"
        self.integral, self.scientific = True, False
        self.width = 1
        deciding = values.ravel()
        if self.floating:  # zeros, NaN and infinities fit into any style, and may stick out of the columns
            deciding = deciding[np.isfinite(deciding) & (deciding != 0)].astype(np.float64)
            if deciding.size:
                self._decide(deciding)
        self.width = max([1, *[len(self._text(v)) for v in deciding.tolist()]])

    def _decide(self, numbers: Any) -> None:
        sizes = np.abs(numbers)
        least, most = float(sizes.min()), float(sizes.max())
        self.integral = bool((numbers == np.ceil(numbers)).all())
        if _Options.sci_mode is None:
            self.scientific = most / least > 1000.0 or most > 1.0e8 or least < 1.0e-4
        else:
            self.scientific = _Options.sci_mode

    def _text(self, value: Any) -> str:
        if not self.floating:
            return str(value)
        if self.scientific:
            return f"{value:.{_Options.precision}e}"
        if self.integral:
            return f"{value:.0f}." if math.isfinite(value) else f"{value:.0f}"
        return f"{value:.{_Options.precision}f}"

    def write(self, value: Any) -> str:
        return self._text(value).rjust(self.width)


def _vector(values: Any, style: _Style, indent: int, summarize: bool) -> str:
    edge = _Options.edgeitems
    if summarize and not edge:
        texts = ["..."]
    elif summarize and len(values) > 2 * edge:
        texts = [style.write(v) for v in values[:edge].tolist()]
        texts += [" ...", *[style.write(v) for v in values[-edge:].tolist()]]
    else:
        texts = [style.write(v) for v in values.tolist()]
    per_line = max(1, (_Options.linewidth - indent) // (style.width + 2))
    lines = [texts[i : i + per_line] for i in range(0, len(texts), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(", ".join(line) for line in lines) + "]"


def _nested(values: Any, style: _Style, indent: int, summarize: bool) -> str:
    if values.ndim == 0:
        return style.write(values.item())
    if values.ndim == 1:
        return _vector(values, style, indent, summarize)
    edge = _Options.edgeitems
    if summarize and len(values) > 2 * edge:
        parts = [_nested(v, style, indent + 1, summarize) for v in values[:edge]]
        parts += ["...", *[_nested(v, style, indent + 1, summarize) for v in values[len(values) - edge :]]]
    else:
        parts = [_nested(v, style, indent + 1, summarize) for v in values]
    return "[" + ("," + "\n" * (values.ndim - 1) + " " * (indent + 1)).join(parts) + "]"


def _edges(values: Any) -> Any:
    """The part of a summarised tensor that is shown, which decides how its numbers are written."""
    edge = _Options.edgeitems
    for d in range(values.ndim):
        if values.shape[d] > 2 * edge:
            values = np.take(values, [*range(edge), *range(-edge, 0)], axis=d)
    return values


def represent(x: Any, prefix: str = "tensor(") -> str:
    """The text of a tensor: values, then dtype, grad_fn or requires_grad where they say something."""
    values, suffixes = x._array(), []
    if x.numel() == 0:
        body = "[]"
        if x.ndim != 1:
            suffixes.append(f"size={tuple(x.shape)}")
        if x.dtype is not _dtype.get_default_dtype():  # no element shows what they would be
            suffixes.append(f"dtype={x.dtype}")
    else:
        summarize = x.numel() > _Options.threshold
        style = _Style(_edges(values) if summarize else values)
        body = _nested(values, style, len(prefix), summarize)
        if summarize and not _Options.edgeitems:
            suffixes.append(f"size={tuple(x.shape)}")
        if x.dtype not in (_dtype.get_default_dtype(), _dtype.int64, _dtype.bool_):
            suffixes.append(f"dtype={x.dtype}")
    if x._node is not None:
        suffixes.append(f"grad_fn=<{x._node.name().rpartition('::')[2]}>")
    elif x._requires_grad:
        suffixes.append("requires_grad=True")
    return _with_suffixes(prefix + body, suffixes, len(prefix))


def _with_suffixes(text: str, suffixes: list[str], indent: int) -> str:
    """The suffixes behind the values, each on a new line where it would not fit."""
    last = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if last + len(suffix) + 2 > _Options.linewidth:
            text += ",\n" + " " * indent + suffix
            last = indent + len(suffix)
        else:
            text += ", " + suffix
            last += len(suffix) + 2
    return text + ")"


__all__ = ["represent", "set_printoptions"]
