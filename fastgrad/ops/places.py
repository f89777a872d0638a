"""Elements by place: scatter, index_add and their like, masks, take, nonzero."""

from __future__ import annotations

from typing import Any

from .. import _dtype
from .. import _launch as launches
from .._geometry import wrap_dim
from .._launch import places as at
from .._launch import rearrange as launch
from .._tensor import Tensor
from .choose import where
from .convert import to_dtype
from .elementwise import _mul_scalar, _number
from .gather import gather, index_select
from .index import _put, getitem
from .op import op
from .out import with_out
from .pointwise import as_tensor
from .reduce import sum_to
from .stretch import expand

# --- scatter ----------------------------------------------------------------------------------------------------------


@op(name="Scatter0")
def _scatter(ctx: Any, x: Tensor, src: Tensor, *, dim: int, index: Tensor) -> Tensor:
    ctx.save(index)
    ctx.extra = dim
    return launch.scatter(x, dim, index, src, "put")


@_scatter.derivative
def scatter_derivative(ctx: Any, gy: Tensor) -> Any:
    (index,), dim = ctx.saved, ctx.extra
    kept = _scatter_number(gy, dim=dim, index=index, value=0.0) if ctx.needs[0] else None
    return kept, gather(gy, dim, index) if ctx.needs[1] else None


@op(name="Scatter1")
def _scatter_number(ctx: Any, x: Tensor, *, dim: int, index: Tensor, value: float) -> Tensor:
    ctx.save(index)
    ctx.extra = dim
    return launch.scatter(x, dim, index, value, "put")


@_scatter_number.derivative
def scatter_number_derivative(ctx: Any, gy: Tensor) -> Tensor:
    made: Tensor = _scatter_number(gy, dim=ctx.extra, index=ctx.saved[0], value=0.0)
    return made


@op(name="ScatterAdd")
def _scatter_add(ctx: Any, x: Tensor, src: Tensor, *, dim: int, index: Tensor) -> Tensor:
    ctx.save(index)
    ctx.extra = dim
    return launch.scatter(x, dim, index, src, "add")


@_scatter_add.derivative
def scatter_add_derivative(ctx: Any, gy: Tensor) -> Any:
    return gy if ctx.needs[0] else None, gather(gy, ctx.extra, ctx.saved[0]) if ctx.needs[1] else None


def _checked(name: str, x: Tensor, dim: int, index: Tensor, src: Any) -> tuple[int, Tensor, Any]:
    """The arguments of a scatter in order; RuntimeError in PyTorch's words where they do not fit."""
    dim = wrap_dim(dim, as_tensor(x, name).ndim)
    if index.dtype not in (_dtype.int64, _dtype.int32):
        raise RuntimeError("scatter(): Expected dtype int64 for index")
    if index._numel and max(index.ndim, 1) != max(x.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as self tensor")
    if isinstance(src, Tensor):
        if src.dtype is not x.dtype:
            raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
        if max(src.ndim, 1) != max(x.ndim, 1):
            raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
    for d in range(index.ndim):
        if index._numel and (
            (d != dim and index.shape[d] > x.shape[d]) or (isinstance(src, Tensor) and index.shape[d] > src.shape[d])
        ):
            raise RuntimeError(
                f"Expected index {list(index.shape)} to be no larger than self {list(x.shape)} apart from dimension "
                f"{dim} and "
                f"to be no larger size than src {list(src.shape) if isinstance(src, Tensor) else []}"
            )
    _check_places(index, x.shape[dim] if x.shape else 1, dim)
    return dim, index.detach().clone(), src


def _check_places(index: Tensor, size: int, dim: int) -> None:
    at.within(index, 0, size, RuntimeError, f"index {{bad}} is out of bounds for dimension {dim} with size {size}")


@with_out
def scatter(input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: Any = None) -> Tensor:
    """A copy of `input` with src (a tensor or a number) written to the places that `index` names along a dimension.

    With `reduce` "add" or "multiply" they are combined with what is there.

    >>> import fastgrad as torch
    >>> torch.scatter(torch.zeros(3), 0, torch.tensor([2, 0]), torch.tensor([1.0, 2.0]))
    tensor([2., 0., 1.])
    """
    src = value if src is None else src
    if not isinstance(src, Tensor) and not _number(src):
        raise TypeError(f"scatter(): argument 'src' must be Tensor or Number, not {type(src).__name__}")
    dim, index, src = _checked("scatter", input, dim, index, src)
    if reduce is not None:
        if reduce not in ("add", "multiply"):
            raise RuntimeError("reduce argument must be either add or multiply.")
        if reduce == "add" and isinstance(src, Tensor):
            made: Tensor = _scatter_add(input, src, dim=dim, index=index)
            return made
        return launch.scatter(input, dim, index, src, reduce)
    if isinstance(src, Tensor):
        made = _scatter(input, src, dim=dim, index=index)
        return made
    made = _scatter_number(input, dim=dim, index=index, value=_dtype.checked(src, input.dtype))
    return made


@with_out
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A copy of `input` with src added to the places that `index` names along a dimension; equal places add up.

    >>> import fastgrad as torch
    >>> torch.scatter_add(torch.zeros(2), 0, torch.tensor([1, 1]), torch.tensor([1.0, 2.0]))
    tensor([0., 3.])
    """
    dim, index, src = _checked("scatter_add", input, dim, index, src)
    made: Tensor = _scatter_add(input, src, dim=dim, index=index)
    return made


# --- slices along a dimension -------------------------------------------------------------------------------------------


@op(name="IndexAdd")
def _index_add(ctx: Any, x: Tensor, source: Tensor, *, dim: int, index: Tensor, alpha: float) -> Tensor:
    ctx.save(index)
    ctx.extra = dim, alpha, source.shape
    scaled = source if alpha == 1 else launches.mul_scalar(source, float(alpha))
    return launch.add_at(x, dim, index, scaled)


@_index_add.derivative
def index_add_derivative(ctx: Any, gy: Tensor) -> Any:
    (index,), (dim, alpha, shape) = ctx.saved, ctx.extra
    part = None
    if ctx.needs[1]:
        part = sum_to(index_select(gy, dim, index), shape)
        part = part if alpha == 1 else _mul_scalar(part, alpha)
    return gy if ctx.needs[0] else None, part


def _slices(name: str, x: Tensor, dim: int, index: Tensor, source: Any) -> tuple[int, Tensor]:
    dim = wrap_dim(dim, as_tensor(x, name).ndim)
    if index.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be a vector, but got dim: {index.ndim} with type: Long")
    if index.dtype not in (_dtype.int64, _dtype.int32):
        raise IndexError(f"{name}(): Expected dtype int32/int64 for index but got: {index.dtype.scalar_name}")
    if isinstance(source, Tensor):
        if source.dtype is not x.dtype:
            raise RuntimeError(
                f"{name}(): self ({x.dtype.scalar_name}) and source ({source.dtype.scalar_name}) must have the same "
                f"scalar type"
            )
        wanted = [*x.shape[:dim], index._numel, *x.shape[dim + 1 :]]
        if x.shape and list(source.shape) != wanted:
            raise RuntimeError(
                f"source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = "
                f"{list(x.shape)} source.shape = {list(source.shape)}"
            )
    _check_slices(index, x.shape[dim] if x.shape else 1)
    return dim, index.detach().clone()


def _check_slices(index: Tensor, size: int) -> None:
    at.within(index, 0, size, IndexError, "index out of range in self")


@with_out
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: float = 1) -> Tensor:
    """A copy of `input` with slices of alpha * source added to the places `index` along a dimension; equal places add up.

    >>> import fastgrad as torch
    >>> torch.index_add(torch.zeros(2), 0, torch.tensor([1, 1]), torch.tensor([1.0, 2.0]))
    tensor([0., 3.])
    """
    dim, index = _slices("index_add", input, dim, index, source)
    if input.dtype.category != 2:
        return launch.add_at(input, dim, index, source if alpha == 1 else source * alpha)
    made: Tensor = _index_add(input, source, dim=dim, index=index, alpha=alpha)
    return made


def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """A copy of `input` with slices of source written to the places `index` along a dimension.

    >>> import fastgrad as torch
    >>> torch.index_copy(torch.zeros(3), 0, torch.tensor([2]), torch.tensor([1.0]))
    tensor([0., 0., 1.])
    """
    dim, index = _slices("index_copy", input, dim, index, source)
    made: Tensor = _put(input, source, places=(*(slice(None),) * dim, index))
    return made


def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """A copy of `input` with one number written to the places `index` along a dimension.

    >>> import fastgrad as torch
    >>> torch.index_fill(torch.zeros(3), 0, torch.tensor([0, 2]), 1.0)
    tensor([1., 0., 1.])
    """
    dim = wrap_dim(dim, as_tensor(input, "index_fill").ndim)
    size = input.shape[dim] if input.shape else 1
    dim, index = _slices("index_fill", input, dim, where(index < 0, index + size, index), None)
    made: Tensor = _put(input, _filler(value, input), places=(*(slice(None),) * dim, index))
    return made


def _filler(value: Any, x: Tensor) -> Tensor:
    from .create import scalar

    if isinstance(value, Tensor):
        if value.ndim:
            raise RuntimeError(
                f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
            )
        return to_dtype(value, x.dtype)
    return scalar(_dtype.checked(value, x.dtype), x.dtype)


def index_put(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of `input` with input[indices] = values, or with the values added there.

    >>> import fastgrad as torch
    >>> torch.index_put(torch.zeros(2), (torch.tensor([1]),), torch.tensor(3.0))
    tensor([0., 3.])
    """
    from .index import _check_fits, scatter
    from .subscript import parse, places_of

    _, advanced, _ = parse(input.shape, tuple(indices))
    places = places_of(input.shape, advanced)
    if values.dtype is not input.dtype:
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {input.dtype.scalar_name} for the destination "
            f"and {values.dtype.scalar_name} for the source."
        )
    _check_fits(values, input, places)
    if not accumulate:
        made: Tensor = _put(input, values, places=places)
        return made
    shape = getitem(input.detach(), tuple(indices)).shape
    return input + scatter(expand(values, *shape), shape=input.shape, places=places)

__all__ = [
    "index_add", "index_copy", "index_fill", "index_put", "scatter", "scatter_add",
]  # fmt: skip
