"""Products summed over named dimensions (einsum, tensordot), and those that add to something (baddbmm, addmv, addr)."""

from __future__ import annotations

from string import ascii_lowercase, ascii_uppercase
from typing import Any

from .. import _dtype
from .._geometry import wrap_dim
from .._tensor import Tensor
from .choose import where
from .convert import result_type
from .create import full
from .elementwise import mul
from .linear import factors
from .order import permute
from .out import c_name, with_out, with_same_out
from .product import bmm, dot, matmul, mv, outer
from .rearrange import diagonal
from .reduce import sum as sum_over
from .shape import reshape, unsqueeze
from .stretch import expand

LETTERS = ascii_uppercase + ascii_lowercase

# --- sums of products -----------------------------------------------------------------------------------------------------


def _pair(a: Tensor, b: Tensor, summed: list[int]) -> Tensor:
    """The product of two tensors of as many dimensions, summed over some, which are left with size 1. Dimensions are sorted
    into those of both (batches), of one, and summed, so that one bmm does it."""
    for d in list(summed):
        if a.shape[d] == 1 or b.shape[d] == 1:
            a = sum_over(a, d, keepdim=True) if a.shape[d] != 1 else a
            b = sum_over(b, d, keepdim=True) if b.shape[d] != 1 else b
            summed = [k for k in summed if k != d]
    n = a.ndim
    both, left, right = [], [], []
    for d in range(n):
        if d in summed:
            continue
        if a.shape[d] != 1 and b.shape[d] != 1:
            both.append(d)
        elif a.shape[d] != 1:
            left.append(d)
        else:
            right.append(d)
    if not summed:
        return mul(a, b)
    sizes = [max(a.shape[d], b.shape[d]) if 0 not in (a.shape[d], b.shape[d]) else 0 for d in range(n)]

    def size(dims: list[int]) -> int:
        made = 1
        for d in dims:
            made *= sizes[d]
        return made

    a = reshape(permute(a, *both, *left, *summed, *right), size(both), size(left), size(summed))
    b = reshape(permute(b, *both, *summed, *right, *left), size(both), size(summed), size(right))
    made = reshape(bmm(a, b), [*[sizes[d] for d in (*both, *left)], *[1] * len(summed), *[sizes[d] for d in right]])
    order = [*both, *left, *summed, *right]
    return permute(made, *[order.index(d) for d in range(n)])


def _lettered(*given: Any) -> tuple[Any, ...]:
    """The equation, and then the operands, of a call that gives each operand's dimensions as a list of numbers after it."""
    if len(given) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand and its "
            "subscripts list"
        )

    def letters(numbers: Any) -> str:
        if any(number is not ... and not 0 <= number < len(LETTERS) for number in numbers):
            raise ValueError("einsum(): subscript in subscript list is not within the valid range [0, 52)")
        return "".join("..." if number is ... else LETTERS[number] for number in numbers)

    pairs = len(given) // 2 * 2
    equation = ",".join(letters(numbers) for numbers in given[1:pairs:2])
    if pairs < len(given):
        equation += f"->{letters(given[-1])}"
    return equation, *given[0:pairs:2]


def einsum(equation: str | Tensor, *operands: Any) -> Tensor:
    """Products of tensors whose dimensions are named by letters, summed over the letters that the result does not have.

    `ij,jk->ik` is the product of two matrices; without `->` the result has the letters that occur once, in order; `...`
    stands for any dimensions. `einsum(a, [0, 1], b, [1, 2], [0, 2])` says the same in numbers. RuntimeError for an equation
    that does not fit.

    >>> import fastgrad as torch
    >>> torch.einsum("ij,j->i", torch.ones(2, 3), torch.tensor([1.0, 2.0, 3.0]))
    tensor([6., 6.])
    """
    if isinstance(equation, Tensor):
        return einsum(*_lettered(equation, *operands))
    given = list(operands[0]) if len(operands) == 1 and not isinstance(operands[0], Tensor) else list(operands)
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if not given:
        raise RuntimeError("einsum(): must provide at least one operand")
    if len(terms) != len(given):
        more = "fewer" if len(terms) > len(given) else "more"
        raise RuntimeError(f"einsum(): {more} operands were provided than specified in the equation")
    hidden = max([x.ndim - len(t.replace("...", "")) for t, x in zip(terms, given, strict=True) if "..." in t], default=0)
    if hidden < 0:
        raise RuntimeError("einsum(): the number of subscripts in the equation does not match the number of dimensions")
    dots = [f".{k}" for k in range(hidden)]
    names = [_names(t, x, dots, k) for k, (t, x) in enumerate(zip(terms, given, strict=True))]
    every = [name for labels in names for name in labels]
    if arrow:
        wanted = _names(right, None, dots, -1)
        for name in wanted:
            if wanted.count(name) > 1:
                raise RuntimeError(f"einsum(): output subscript {name} appears more than once in the output")
            if name not in every and not name.startswith("."):
                raise RuntimeError(
                    f"einsum(): output subscript {name} does not appear in the equation for any input operand"
                )
    else:
        wanted = dots + sorted(name for name in set(every) if every.count(name) == 1 and not name.startswith("."))
    summed = [name for name in dict.fromkeys(every) if name not in wanted]
    order = [*wanted, *summed]
    laid = [_laid(x, labels, order) for x, labels in zip(given, names, strict=True)]
    sizes: dict[str, int] = {}
    for x in laid:
        for name, size in zip(order, x.shape, strict=True):
            if size != 1 and sizes.setdefault(name, size) != size:
                raise RuntimeError(
                    f"einsum(): subscript {name} has size {size} which does not broadcast with previously seen size "
                    f"{sizes[name]}"
                )
    made = laid[0]
    last = {name: max(k for k, labels in enumerate(names) if name in labels) for name in summed}
    made = _summed(made, [order.index(name) for name in summed if last[name] == 0])
    for k, x in enumerate(laid[1:], 1):
        made = _pair(made, x, [order.index(name) for name in summed if last[name] == k])
    return reshape(made, [*made.shape[: len(wanted)]]) if summed else made


def _summed(x: Tensor, dims: list[int]) -> Tensor:
    return sum_over(x, dims, keepdim=True) if dims else x


def _names(term: str, x: Tensor | None, dots: list[str], place: int) -> list[str]:
    """The names of the dimensions that a term of an equation stands for."""
    front, found, back = term.partition("...")
    letters = front + back
    if not all(c.isalpha() for c in letters):
        bad = next(c for c in letters if not c.isalpha())
        raise RuntimeError(
            f"einsum(): invalid subscript given at index {term.index(bad)} in the equation string, subscripts must be "
            f"in [a-zA-Z]"
        )
    if x is None:
        return [*front, *(dots if found else []), *back]
    hidden = x.ndim - len(letters)
    if hidden < 0 or (hidden and not found):
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({len(letters)}) does not match the number of dimensions "
            f"({x.ndim}) for operand {place}" + ("" if hidden < 0 else " and no ellipsis was given")
        )
    return [*front, *(dots[len(dots) - hidden :] if found else []), *back]


def _laid(x: Tensor, labels: list[str], order: list[str]) -> Tensor:
    """A view with a dimension for each name in order: diagonals where a name comes twice, size 1 where it is missing."""
    labels = list(labels)
    for name in dict.fromkeys(labels):
        while labels.count(name) > 1:
            first = labels.index(name)
            second = labels.index(name, first + 1)
            if x.shape[first] != x.shape[second]:
                raise RuntimeError(
                    f"einsum(): subscript {name} is repeated for operand 0 but the sizes don't match, {x.shape[second]} != "
                    f"{x.shape[first]}"
                )
            x = diagonal(x, 0, first, second)
            labels = [n for k, n in enumerate(labels) if k not in (first, second)] + [name]
    x = permute(x, *[labels.index(name) for name in order if name in labels]) if labels else x
    for d, name in enumerate(order):
        if name not in labels:
            x = unsqueeze(x, d)
    return x


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """The product of two tensors summed over pairs of dimensions: the last `dims` of a with the first of b, or
    `dims=(those of a, those of b)`.

    >>> import fastgrad as torch
    >>> torch.tensordot(torch.ones(2, 3), torch.ones(3, 4), 1).shape
    torch.Size([2, 4])
    """
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        mine, its = list(range(a.ndim - dims, a.ndim)), list(range(dims))
    else:
        mine, its = ([int(d) for d in part] for part in dims)
    if len(mine) != len(its):
        raise RuntimeError("both dimension lists should have same length")
    mine, its = [wrap_dim(d, a.ndim) for d in mine], [wrap_dim(d, b.ndim) for d in its]
    for p, q in zip(mine, its, strict=True):
        if a.shape[p] != b.shape[q]:
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {a.shape[p]} in dim {p} and second has size "
                f"{b.shape[q]} in dim {q}"
            )
    own, other = [d for d in range(a.ndim) if d not in mine], [d for d in range(b.ndim) if d not in its]
    shape = [*[a.shape[d] for d in own], *[b.shape[d] for d in other]]
    count = 1
    for d in mine:
        count *= a.shape[d]
    left = reshape(permute(a, *own, *mine), -1 if count else a._numel, count)
    right = reshape(permute(b, *its, *other), count, -1 if count else b._numel)
    return reshape(matmul(left, right), shape)


@with_out
def inner(input: Tensor, other: Tensor) -> Tensor:
    """The product summed over the last dimension of both.

    >>> import fastgrad as torch
    >>> torch.inner(torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
    tensor(11.)
    """
    if not input.shape or not other.shape:
        return mul(input, other)
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            f"inner() the last dimension must match on both input tensors but got shapes {list(input.shape)} and "
            f"{list(other.shape)}"
        )
    return tensordot(input, other, ([-1], [-1]))


# --- sums with products ---------------------------------------------------------------------------------------------------


def _added(name: str, input: Tensor, product: Tensor, beta: float, alpha: float) -> Tensor:
    """beta * input + alpha * product; with beta = 0 `input` is not read."""
    beta, alpha = factors(name, result_type(input, product), beta, alpha)
    expand(input.detach(), *product.shape)  # RuntimeError where it does not fit
    product = product if alpha == 1 else mul(product, alpha)
    if beta == 0:
        return product
    return (input if beta == 1 else mul(input, beta)) + product


def _unless_zero(product: Tensor, alpha: Any) -> Tensor:
    """Zeros where alpha is 0: NaN in the operands is not seen then, as in BLAS."""
    unseen = isinstance(alpha, (int, float)) and alpha == 0
    return where(full((), False), product, full((), 0, dtype=product.dtype)) if unseen else product


@with_same_out
def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * bmm(batch1, batch2).

    >>> import fastgrad as torch
    >>> torch.baddbmm(torch.ones(1), torch.ones(2, 1, 3), torch.ones(2, 3, 1)).tolist()
    [[[4.0]], [[4.0]]]
    """
    if input.dtype is not batch1.dtype:
        kinds = [c_name(x.dtype) for x in (input, batch1, batch2)]
        raise RuntimeError("Input dtypes must be the same, got: input {}, batch1: {}, batch2: {}".format(*kinds))
    if input.dtype is _dtype.bool_:
        raise NotImplementedError("\"baddbmm\" not implemented for 'Bool'")
    return _added("baddbmm", input, bmm(batch1, batch2), beta, alpha)


@with_same_out
def addbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * the sum of bmm(batch1, batch2) over the batch; with alpha = 0 the matrices are not read.

    >>> import fastgrad as torch
    >>> torch.addbmm(torch.ones(1), torch.ones(2, 1, 3), torch.ones(2, 3, 1))
    tensor([[7.]])
    """
    if input.dtype is not batch2.dtype or batch1.dtype is not batch2.dtype:
        which, other = ("self", input) if input.dtype is not batch2.dtype else ("mat1", batch1)
        kinds = f"{other.dtype.scalar_name} and {batch2.dtype.scalar_name}"
        raise RuntimeError(f"{which} and mat2 must have the same dtype, but got {kinds}")
    if input.dtype is _dtype.bool_:
        raise NotImplementedError("\"addmm_impl_cpu_\" not implemented for 'Bool'")
    product = sum_over(bmm(batch1, batch2), 0, dtype=input.dtype)
    return _added("addbmm", input, _unless_zero(product, alpha), beta, alpha)


@with_same_out
def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * (mat @ vec); with alpha = 0 the matrix and the vector are not read.

    >>> import fastgrad as torch
    >>> torch.addmv(torch.ones(2), torch.eye(2), torch.tensor([1.0, 2.0]))
    tensor([2., 3.])
    """
    if not input.dtype is mat.dtype is vec.dtype:
        kinds = [x.dtype.scalar_name for x in (input, mat, vec)]
        raise RuntimeError("addmv input tensors must have the same dtype, but got {}, {}, and {}".format(*kinds))
    return _added("addmv", input, _unless_zero(mv(mat, vec), alpha), beta, alpha)


@with_out
def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """beta * input + alpha * outer(vec1, vec2), in the dtype that the three have together.

    >>> import fastgrad as torch
    >>> torch.addr(torch.zeros(1), torch.tensor([1.0, 2.0]), torch.tensor([3.0]))
    tensor([[3.],
            [6.]])
    """
    product = outer(vec1, vec2)
    kind = result_type(input, product)
    for value, which in ((beta, "beta"), (alpha, "alpha")):
        if isinstance(value, bool) and kind is not _dtype.bool_:
            raise RuntimeError(f"Boolean {which} only supported for Boolean results.")
        if isinstance(value, float) and kind.category != 2:
            raise RuntimeError(f"For integral input tensors, argument {which} must not be a floating point number.")
    return _added("addr", input, product, beta, alpha)


vdot, ger = with_out(dot), with_out(outer)
__all__ = ["addbmm", "addmv", "addr", "baddbmm", "einsum", "ger", "inner", "tensordot", "vdot"]
