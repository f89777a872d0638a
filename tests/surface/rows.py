"""All rows of the table of public names: each family stands in a file of its own, as a list; see `samples.py`.

To add names, add rows to a family, or a file with a `FAMILIES` list to the sum below. `python -m tests.surface` says what
differs.
"""

from tests.surface import elementwise, indexing, layers, making, modules, products, reductions, shapes, training
from tests.surface.modules import used

FAMILIES = [
    *elementwise.FAMILIES, *reductions.FAMILIES, *shapes.FAMILIES, *indexing.FAMILIES, *products.FAMILIES, *making.FAMILIES,
    *training.FAMILIES, *layers.FAMILIES, *modules.FAMILIES,
]  # fmt: skip
LAYOUT = "results of elementwise operations lie in row-major order"
OUT = "an unfit out= is another error, or none"
SAME = "PyTorch's result is an accident of its kernels"
# Expressions (or their beginnings) where a difference is meant, and why.
MEANT: dict[str, str] = {
    **{f"x.logical_{name}_(": "PyTorch passes the gradient through" for name in ("and", "or", "xor", "not")},
    "n.logical_not_()": "PyTorch passes the gradient through",
    **{f"x.{name}_(y)": "the other operand has no gradient instead of zeros" for name in (
        "eq", "ne", "lt", "le", "gt", "ge", "less", "less_equal", "greater", "greater_equal", "not_equal")},
    "t.quantile(x, t.tensor": "the quantiles lie in order", "x.quantile(t.tensor": "the quantiles lie in order",
    "b.cumsum_(0)": OUT, "b.cumprod_(0)": OUT, "x.cumsum_(1, dtype": OUT, "x.cumprod_(1, dtype": OUT,
    "h[0].repeat_interleave()": "the method takes the function's forms", "b.where(1, 2)": "another error",
    "t.median(e)": SAME, "e.median()": SAME, "t.index_select(x, 1, i[0]": SAME, "x.index_select(1, i[0])": SAME,
    "t.take_along_dim(x, i, 1": SAME, "x.take_along_dim(i, 1)": SAME, "x.addmm_(x, q": SAME,
    "v[:2].addmv_(x, v": SAME, "x.to(3.5)": SAME,
    "t.index_fill(x, 1, r, s)": SAME, "x.index_fill(1, r, s)": SAME, "x.index_fill_(1, r, s)": SAME,
    "(lambda z: z[:, 1:].copy_": SAME, "t.nonzero(e)": "strides of nothing", "e.nonzero()": "strides of nothing",
    **{f"{x}.index_{name}_(": "overlapping operands are read first" for x in "xqc" for name in ("add", "copy")},
    "t.normal(": "means and deviations get no gradient instead of zeros",
    **{f"{x} {sign}": LAYOUT for x in ("x.t()", "i.t()", "c.permute(2, 0, 1)") for sign in ("+ 1", "* y.t()", "> 0")},
    **{f"{used}(t.nn.RReLU({n}), x)": "PyTorch's second gradient is zeros" for n in ("", "0.2, 0.4")},
    "x.t().exp()": LAYOUT, "x.t().double()": LAYOUT, "x.t().clamp(0, 1)": LAYOUT,
}  # fmt: skip


def meant(expression: str) -> str:
    """Why a difference is meant; nothing where it is not."""
    if "m.t()" in expression:
        return LAYOUT
    if ", out=t.empty" in expression and not expression.startswith(("t.add", "t.mul", "t.sum", "t.exp", "t.sin", "t.mm")):
        return OUT
    return next((why for start, why in MEANT.items() if expression.startswith(start)), "")


UNFINISHED: set[str] = set()  # families whose names are still being added
