"""How a tensor prints: PyTorch's form, digit for digit."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import _dtype

PRECISION = 4
THRESHOLD = 1000
EDGE_ITEMS = 3
LINE_WIDTH = 80


class _Style:
    """How the numbers of one tensor are written: as integers, with a fixed number of digits, or in scientific form."""

    def __init__(self, values: Any) -> None:
        self.floating = values.dtype.kind == "f"
        self.integral = self.scientific = False
        self.width = 1
        if not self.floating:
            self.width = max([1, *[len(str(v)) for v in values.ravel().tolist()]])
            return
        finite = values[np.isfinite(values) & (values != 0)].astype(np.float64)
        if finite.size:
            sizes = np.abs(finite)
            least, most = float(sizes.min()), float(sizes.max())
            self.integral = bool((finite == np.ceil(finite)).all())
            ratio = most / least
            self.scientific = (
                ratio > 1000.0 or most > 1.0e8 if self.integral else ratio > 1000.0 or most > 1.0e8 or least < 1.0e-4
            )
        texts = [self._text(v) for v in finite.tolist()]
        if not finite.size:
            self.integral = True
        self.width = max([1, *[len(text) for text in texts]])
        if not np.isfinite(values).all() or finite.size < values.size:
            self.width = max(self.width, *[len(self._text(v)) for v in values[~np.isfinite(values) | (values == 0)].tolist()])

    def _text(self, value: Any) -> str:
        if not self.floating:
            return str(value)
        if self.scientific:
            return f"{value:.{PRECISION}e}"
        if self.integral:
            text = f"{value:.0f}"
            return text + "." if math.isfinite(value) else text
        return f"{value:.{PRECISION}f}"

    def write(self, value: Any) -> str:
        return self._text(value).rjust(self.width)


def _vector(values: Any, style: _Style, indent: int, summarize: bool) -> str:
    per_line = max(1, (LINE_WIDTH - indent) // (style.width + 2))
    if summarize and len(values) > 2 * EDGE_ITEMS:
        texts = [style.write(v) for v in values[:EDGE_ITEMS].tolist()]
        texts += [" ..."] + [style.write(v) for v in values[-EDGE_ITEMS:].tolist()]
    else:
        texts = [style.write(v) for v in values.tolist()]
    lines = [texts[i : i + per_line] for i in range(0, len(texts), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(", ".join(line) for line in lines) + "]"


def _nested(values: Any, style: _Style, indent: int, summarize: bool) -> str:
    if values.ndim == 0:
        return style.write(values.item())
    if values.ndim == 1:
        return _vector(values, style, indent, summarize)
    if summarize and len(values) > 2 * EDGE_ITEMS:
        parts = [_nested(v, style, indent + 1, summarize) for v in values[:EDGE_ITEMS]]
        parts += ["..."] + [_nested(v, style, indent + 1, summarize) for v in values[-EDGE_ITEMS:]]
    else:
        parts = [_nested(v, style, indent + 1, summarize) for v in values]
    return "[" + ("," + "\n" * (values.ndim - 1) + " " * (indent + 1)).join(parts) + "]"


def _edges(values: Any) -> Any:
    """The part of a summarized tensor that is shown, which decides how its numbers are written."""
    for d in range(values.ndim):
        if values.shape[d] > 2 * EDGE_ITEMS:
            values = np.take(values, [*range(EDGE_ITEMS), *range(-EDGE_ITEMS, 0)], axis=d)
    return values


def represent(x: Any, prefix: str = "tensor(") -> str:
    """The text of a tensor: values, then dtype, grad_fn or requires_grad where they say something."""
    values = x._array()
    suffixes = []
    if x.numel() == 0:
        body = "[]"
        if x.ndim != 1:
            suffixes.append(f"size={tuple(x.shape)}")
        if x.dtype is not _dtype.get_default_dtype():
            suffixes.append(f"dtype={x.dtype}")
    else:
        summarize = x.numel() > THRESHOLD
        style = _Style(_edges(values) if summarize else values)
        body = _nested(values, style, len(prefix), summarize)
        if x.dtype not in (_dtype.get_default_dtype(), _dtype.int64, _dtype.bool_):
            suffixes.append(f"dtype={x.dtype}")
    if x._node is not None:
        suffixes.append(f"grad_fn=<{x._node.name()}>")
    elif x._requires_grad:
        suffixes.append("requires_grad=True")
    text = prefix + body
    last = len(text) - text.rfind("\n") - 1
    for suffix in suffixes:
        if last + len(suffix) + 2 > LINE_WIDTH:
            text += ",\n" + " " * len(prefix) + suffix
            last = len(prefix) + len(suffix)
        else:
            text += ", " + suffix
            last += len(suffix) + 2
    return text + ")"
