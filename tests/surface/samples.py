"""How a public name is compared with PyTorch: the inputs, the forms in which a name is called, and what is compared.

A row is `call("lerp", "x, y, 0.3", "x, s, w")`: a name, and arguments to call it with. Every form that PyTorch has of the
name is called with them: the function `t.lerp(x, y, 0.3)`, the method `x.lerp(y, 0.3)`, in place `x.lerp_(y, 0.3)`, and
`t.lerp(x, y, 0.3, out=...)`. A row `show("nn.Linear", "t.nn.Linear(3, 2)(x)")` has whole expressions instead. Either is
evaluated under both libraries: results must have the same values, dtypes, shapes, strides, and first and second gradients,
or both must raise errors of the same type.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

INPUTS = {
    "x": [[0.5, -1.25, 2.0], [-0.75, 1.5, 0.25]],
    "y": [[1.5, 0.5, -0.5], [2.5, -1.75, 0.75]],
    "p": [[0.1, 0.35, 0.8], [0.6, 0.25, 0.95]],  # probabilities
    "w": [[0.3, 0.6, 0.9], [-0.2, 0.4, 1.2]],
    "v": [1.0, -2.0, 0.5],
    "u": [0.5, 1.5, -1.0],
    "m": [[1.0, 0.5, -1.0, 2.0], [0.0, 1.5, 0.25, -0.5], [2.0, -1.0, 0.75, 1.0]],  # (3, 4)
    "q": [[2.0, 0.5, -1.0], [0.5, 1.5, 0.25], [-1.0, 0.25, 3.0]],  # square
    "c": (np.arange(24).reshape(2, 3, 4) * 7 % 25 / 5 - 2.4).tolist(),
    "k": (np.arange(24).reshape(2, 4, 3) * 11 % 25 / 5 - 2.3).tolist(),
    "n": [[np.nan, np.inf, -np.inf], [0.0, -0.0, 1.0]],
    "ties": [[3.0, 1.0, 3.0], [2.0, 2.0, 2.0]],
    "s": 0.7,
    "e": np.zeros((0, 3)).tolist() or np.zeros((0, 3)),
}
WHOLE = {
    "i": np.array([[3, -7, 12], [5, 2, -4]], np.int64),
    "h": np.array([[2, 3, 5], [1, 4, 2]], np.int64),
    "j": np.array([[1, 2, 3], [4, 5, 6]], np.int32),
    "a": np.array([[200, 3, 17], [0, 255, 9]], np.uint8),
    "g": np.array([[0, 1, 0], [1, 1, 0]], np.int64),  # places
    "r": np.array([1, 0, 1], np.int64),  # places in a row
    "b": np.array([[True, False, True], [False, False, True]]),
    "o": np.array([[False, False, True], [True, False, True]]),
}


@dataclass
class Row:
    """One public name and its samples."""

    name: str
    samples: tuple[str, ...]
    family: str = ""
    whole: bool = False  # the samples are expressions, not arguments
    without: tuple[str, ...] = ()  # forms that PyTorch has and fastgrad does not, on purpose


@dataclass
class Family:
    """Rows of one paragraph of names."""

    name: str
    rows: list[Row] = field(default_factory=list)

    def call(self, name: str, *samples: str, without: tuple[str, ...] = ()) -> None:
        self.rows.append(Row(name, samples, self.name, False, without))

    def show(self, name: str, *samples: str) -> None:
        self.rows.append(Row(name, samples, self.name, True))


@dataclass
class Outcome:
    """What was compared of one expression; None where there was nothing to compare."""

    expression: str
    values: bool | None = None
    dtype: bool | None = None
    shape: bool | None = None
    gradient: bool | None = None
    second: bool | None = None
    error: bool | None = None
    note: str = ""
    meant: str = ""  # why a difference is meant

    @property
    def same(self) -> bool:
        return False not in (self.values, self.dtype, self.shape, self.gradient, self.second, self.error)


def resolve(library: Any, name: str) -> Any:
    """What stands under a dotted name; AttributeError where there is nothing."""
    found = library
    for part in name.split("."):
        found = getattr(found, part)
    return found


def has(library: Any, name: str) -> bool:
    try:
        resolve(library, name)
    except (AttributeError, ImportError):
        return False
    return True


def forms(torch: Any, row: Row) -> list[tuple[str, str]]:
    """The (kind, dotted name) pairs of everything that PyTorch calls by the name of a row."""
    made = []
    if has(torch, row.name):
        thing = resolve(torch, row.name)
        kind = "class" if isinstance(thing, type) else "function" if callable(thing) else "value"
        made.append((kind, row.name))
    if "." not in row.name:
        if has(torch, f"Tensor.{row.name}"):
            made.append(("method", f"Tensor.{row.name}"))
        if has(torch, f"Tensor.{row.name}_"):
            made.append(("in place", f"Tensor.{row.name}_"))
        if made and made[0][0] == "function" and "out=" in (getattr(torch, row.name).__doc__ or ""):
            made.append(("out=", row.name))
    return [(kind, name) for kind, name in made if kind not in row.without]


def expressions(torch: Any, row: Row) -> Iterator[tuple[str, str]]:
    """(kind, expression) of every sample in every form."""
    if row.whole:
        for sample in row.samples:
            yield "expression", sample
        return
    for kind, name in forms(torch, row):
        for sample in row.samples:
            first, _, rest = sample.partition(", ")
            if kind == "function":
                yield kind, f"t.{name}({sample})"
            elif kind == "method":
                yield kind, f"{first}.{row.name}({rest})"
            elif kind == "in place":
                yield kind, f"{first}.{row.name}_({rest})"
            elif kind == "out=" and not first.startswith("["):
                yield kind, f"t.{name}({sample}, out=t.empty(0, dtype={first}.dtype))"


def evaluate(t: Any, expression: str) -> tuple[Any, list[Any]]:
    """The result of an expression, or the error, and the leaves that it was computed from."""
    leaves, names = [], {"t": t, "np": np}
    for name, data in INPUTS.items():
        leaf = t.from_numpy(np.array(data, np.float32)).requires_grad_()
        leaves.append(leaf)
        names[name] = leaf * 1  # no leaf: it may be changed in place
    names |= {name: t.from_numpy(array.copy()) for name, array in WHOLE.items()}
    t.manual_seed(0)
    with warnings.catch_warnings(), t.set_grad_enabled(", out=" not in expression):  # out= has no gradients
        warnings.simplefilter("ignore")
        try:
            return eval(expression, names), leaves
        except Exception as error:
            return error, leaves


def parts(result: Any) -> list[Any]:
    """The tensors and other values in a result, in order."""
    if isinstance(result, (tuple, list)):
        return [part for item in result for part in parts(item)]
    if isinstance(result, dict):
        return [part for item in result.values() for part in parts(item)]
    return [result]


def gradients(t: Any, result: Any, leaves: list[Any], again: bool) -> list[Any]:
    """The gradients of a weighted sum of the results: first, or (`again`) those of such a sum of the first gradients."""
    total = None
    for k, part in enumerate(parts(result)):
        if hasattr(part, "grad_fn") and part.requires_grad and part.numel():
            weights = np.random.default_rng(part.numel() + k).uniform(0.5, 1.5, tuple(part.shape)).astype(np.float32)
            term = (part.float() * t.from_numpy(np.asarray(weights))).sum()
            total = term if total is None else total + term
    if total is None:
        return []
    found = t.autograd.grad(total, leaves, create_graph=again, retain_graph=True, allow_unused=True)
    return gradients(t, [g for g in found if g is not None], leaves, False) if again else list(found)


def near(ours: Any, theirs: Any, tolerance: float) -> bool:
    """Whether two arrays, or two other values, are the same."""
    if hasattr(theirs, "detach"):
        ours, theirs = ours.numpy(force=True), theirs.numpy(force=True)
        if theirs.dtype.kind == "f":
            with np.errstate(all="ignore"):
                scale = np.abs(theirs[np.isfinite(theirs)]).max(initial=0)
                return bool(np.allclose(ours, theirs, tolerance, tolerance * (1e-3 + scale), equal_nan=True))
        return bool((ours == theirs).all())
    if isinstance(theirs, float) and isinstance(ours, float):
        return bool(np.isclose(ours, theirs, tolerance, equal_nan=True))
    return str(ours) == str(theirs)


def compared(fastgrad: Any, torch: Any, expression: str) -> Outcome:
    """One expression under both libraries."""
    (ours, own_leaves), (theirs, leaves) = evaluate(fastgrad, expression), evaluate(torch, expression)
    made = Outcome(expression)
    if isinstance(theirs, Exception) or isinstance(ours, Exception):
        made.error = type(ours) is type(theirs)
        made.note = f"{type(ours).__name__}: {ours} | {type(theirs).__name__}: {theirs}"[:300].replace("\n", " ")
        return made
    mine, wanted = parts(ours), parts(theirs)
    if len(mine) != len(wanted):
        made.values, made.note = False, f"{len(mine)} results instead of {len(wanted)}"
        return made
    tensors = [(a, b) for a, b in zip(mine, wanted, strict=True) if hasattr(b, "grad_fn")]
    made.dtype = all(str(a.dtype) == str(b.dtype) for a, b in tensors)
    made.shape = all(tuple(a.shape) == tuple(b.shape) and a.stride() == b.stride() for a, b in tensors)
    if not (made.dtype and made.shape):
        mine, wanted = ([(x.dtype, x.shape, x.stride()) for x in side] for side in zip(*tensors, strict=True))
        made.note = f"{mine} not {wanted}"
        return made
    made.values = re.match(r"t\.empty|\w+\.new_empty",
        expression) is not None or all(near(a, b, 2e-6) for a, b in zip(mine, wanted, strict=True))
    if not made.values:
        made.note = f"{ours} not {theirs}".replace("\n", " ")
    for again in (False, True):
        try:
            expected = gradients(torch, theirs, leaves, again)
        except (RuntimeError, NotImplementedError):  # PyTorch has no such derivative
            break
        try:
            found = gradients(fastgrad, ours, own_leaves, again)
            if not expected:  # PyTorch has no graph there: nothing but zeros may come of ours
                found = [g for g in found if g is not None]
            same = all(
                (g is None) == (e is None) and (e is None or near(g, e, 1e-4 if again else 1e-5))
                for g, e in zip(found, expected or [g * 0 for g in found], strict=True)
            )
        except Exception as error:
            same, made.note = False, f"{'second ' if again else ''}gradient: {type(error).__name__}: {error}"
        else:
            if not same:
                made.note += f" {'second ' if again else ''}gradient {found} not {expected}".replace("\n", " ")
        if expected or not same:
            setattr(made, "second" if again else "gradient", same)
        if not same:
            break
    return made
