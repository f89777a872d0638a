"""What `benchmarks.surface` measures: the calls of tests/surface (every public name, with arguments), at any size.

The table of names says how each is called, `call("lerp", "x, y, 0.3")`; here the letters stand for larger inputs. So an
operation that gets its row there is measured too. Norms, whose arguments depend on shapes, are written out below.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.surface import elementwise, layers, reductions
from tests.surface.samples import has, resolve

SHAPES = {64: ((8, 8), (4, 4, 4)), 10_000: ((100, 100), (10, 20, 50)), 4_000_000: ((2000, 2000), (100, 200, 200))}
FLOATS = frozenset("xypwcuvz")  # letters of tests/surface that stand for floats without NaN, and z: zeros and ones
MASKS = {"where", "all", "any", "count_nonzero", "logical_not"}  # operations on masks
# An error, a conversion, an alias of another sample, or numbers that are not those of the size measured.
UNUSUAL = re.compile(r"dtype|axis|interpolation|\[|b\.float|'|x - x|m\.t|1e-6|dim=2|unbiased|correction|False")
NORMS = (
    ("layer_norm", "x, x.shape[1:], v, u"), ("rms_norm", "x, x.shape[1:], v"), ("group_norm", "c, c.shape[1] // 2"),
    ("batch_norm", "x, None, None, v, u, True"),
)  # fmt: skip
LOSSES = (("kl_div", "x, p"), ("multilabel_margin_loss", "x, l"))  # modules in the table
WHOLE = {  # operations on integers and bools
    "add": "i, h", "mul": "i, 2", "neg": "i", "abs": "i", "eq": "i, h", "lt": "i, 3", "maximum": "i, h", "clamp": "i, 0, 4",
    "bitwise_not": "i", "logical_and": "b, o", "logical_not": "i", "bitwise_or": "b, o", "equal": "i, i * 1",
    "where": "b, i, h", "masked_fill": "i, b, 5", "sum": "i", "amax": "i, 1", "argmax": "i, 1", "count_nonzero": "b",
    "any": "i", "Tensor.float": "i", "Tensor.long": "x", "Tensor.int": "i", "Tensor.bool": "x", "Tensor.clone": "i",
}  # fmt: skip
RANDOM = {"dropout": "x, 0.5, True", "alpha_dropout": "x, 0.5, True", "rrelu": "x, 0.1, 0.3, True"}
# Names that are no elementwise operation, reduction, activation, loss or norm.
OTHER = {"linear", "bilinear", "embedding", "trace", "histc", "bincount", "topk", "sort", "argsort", "msort", "unique"}


@dataclass(frozen=True)
class Row:
    """One call: `name(arguments)`, the arguments in letters."""

    family: str
    name: str
    arguments: str

    @property
    def title(self) -> str:
        return f"{self.name.rpartition('.')[2]}({self.arguments})"


def _usual(family: str, name: str, arguments: str) -> bool:
    """Whether a sample is a plain call on floats (on masks and integers where the operation is about those)."""
    letters = re.findall(r"(?<![\w.'])[a-z](?![\w(=.'])", arguments)
    if name in MASKS:
        wanted = letters[:1] == ["b"] and set(letters[1:]) <= FLOATS and (len(letters) > 1 or name != "where")
    elif family == "bits and logic":
        wanted = letters == (["x", "y"] if name.startswith("logical") else ["i", "h"])
    else:
        wanted = bool(letters) and set(letters) <= FLOATS
    return wanted and not UNUSUAL.search(arguments)


def calls() -> Iterator[Row]:
    """Every call, once: names that are another's alias, and forms that differ in a flag only, are left out."""
    seen: set[Any] = set()
    named: set[Any] = set()
    fastgrad = importlib.import_module("fastgrad")
    for family in (elementwise.arithmetic, elementwise.comparison, elementwise.bits, elementwise.pointwise,
                   reductions.reductions, reductions.running):  # fmt: skip
        for row in family.rows:
            samples = [(row.name, sample) for sample in row.samples]
            if row.whole:
                samples = [found.groups() for s in row.samples if (found := re.fullmatch(r"t\.(\w+)\((.*)\)", s))]
            for name, arguments in samples:
                key = (name if not has(fastgrad, name) else resolve(fastgrad, name), arguments)
                if name in OTHER or key in seen or not _usual(family.name, name, arguments):
                    continue
                if len(arguments) > 1 or key[0] not in named:  # `sin(c)` is `sin(x)`
                    seen.add(key)
                    named.add(key[0])
                    yield Row(family.name, name, arguments)
    for names, arguments in layers.LINES.items():
        for name in names.split():
            if name not in OTHER | {norm for norm, _ in NORMS}:
                family_name = "losses" if _is_loss(name) else "activations"
                given = arguments.replace("r[:2]", "r").replace("v[:2]", "v").replace("o.to(p.dtype)", "z")
                yield Row(family_name, f"nn.functional.{name}", RANDOM.get(name, given))
    for family_name, extra in (("losses", LOSSES), ("norms", NORMS)):
        for name, arguments in extra:
            yield Row(family_name, f"nn.functional.{name}", arguments)
    for name, arguments in WHOLE.items():
        yield Row("integers and bools", name, arguments)


def _is_loss(name: str) -> bool:
    return "loss" in name or "entropy" in name or name in ("cosine_similarity", "pairwise_distance")


def inputs(t: Any, size: int) -> dict[str, Any]:
    """The inputs of one size by letter, the same numbers in either library."""
    random = np.random.default_rng(0)
    matrix, cube = SHAPES[size]
    made: dict[str, Any] = {}
    for letter in "xyw":
        made[letter] = random.uniform(-2, 2, matrix)
    made["p"] = random.uniform(0.05, 0.95, matrix)
    made["c"] = random.uniform(-2, 2, cube)
    made["u"], made["v"] = random.uniform(0.5, 2, (2, matrix[1]))
    made["z"] = random.integers(0, 2, matrix)
    made = {letter: t.from_numpy(array.astype(np.float32)) for letter, array in made.items()}
    made["i"] = t.from_numpy(random.integers(-9, 9, matrix))
    made["h"] = t.from_numpy(random.integers(1, 6, matrix))
    made["g"] = t.from_numpy(random.integers(0, 2, matrix))
    made["l"] = made["h"].clone()  # a few labels in each row
    made["l"][:, 4:] = -1
    made["r"] = t.from_numpy(random.integers(0, matrix[1], matrix[0]))
    made["b"], made["o"] = (t.from_numpy(random.random(matrix) < 0.5) for _ in range(2))
    return made


@dataclass
class Call:
    """A row under one library: its forward, and its forward and backward where it has a gradient."""

    forward: Any
    both: Any


def bound(t: Any, row: Row, given: dict[str, Any]) -> Call:
    """The call with its arguments made: a loss has the gradient of its input alone, all else of every float operand."""
    function = resolve(t, row.name)
    args, keywords = eval(f"(lambda *a, **k: (a, k))({row.arguments})", {"t": t, "np": np, **given})
    floats = [a for a in args if hasattr(a, "is_floating_point") and a.is_floating_point()]
    leaves = {id(a): a.detach().requires_grad_() for a in (floats[:1] if row.family == "losses" else floats)}
    recorded, kept = [leaves.get(id(a), a) for a in args], list(leaves.values())

    def forward() -> Any:
        return function(*args, **keywords)

    def first(result: Any) -> Any:
        return result[0] if isinstance(result, tuple) else result

    result = first(function(*recorded, **keywords))
    if not getattr(result, "requires_grad", False):
        return Call(forward, None)
    seed = t.ones(*result.shape) if result.ndim else None

    def both() -> None:
        first(function(*recorded, **keywords)).backward(seed)
        for leaf in kept:
            leaf.grad = None

    return Call(forward, both)
