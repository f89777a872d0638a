"""`torch.linalg`: norms of vectors and matrices."""

from __future__ import annotations

import math
from typing import Any

from ._geometry import wrap_dim
from ._tensor import Tensor
from .ops import fold, pointwise, reduce, singular, spread
from .ops.convert import to_dtype
from .ops.out import with_out
from .ops.singular import svdvals

__all__ = ["matrix_norm", "norm", "svdvals", "vector_norm"]


@with_out
def vector_norm(x: Tensor, ord: float = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """(sum |x|**ord)**(1/ord) over dimensions, or of all elements; inf and -inf are the largest and smallest size.

    >>> import fastgrad as torch
    >>> torch.linalg.vector_norm(torch.tensor([3.0, 4.0]))
    tensor(5.)
    """
    return spread.vector_norm(x, float(ord), dim, keepdim, "linalg.vector_norm", dtype)


@with_out
def matrix_norm(
    A: Tensor, ord: Any = "fro", dim: tuple[int, int] = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """A norm of matrices that lie in two dimensions: "fro", 1 and -1 (most and least of the column sums), inf and -inf (of
    the row sums), 2 and -2 (of the singular values), "nuc" (their sum).

    >>> import fastgrad as torch
    >>> torch.linalg.matrix_norm(torch.ones(2, 3), 1)
    tensor(2.)
    """
    x = A if dtype is None else to_dtype(A, dtype)
    if x.ndim < 2:
        raise RuntimeError("linalg.matrix_norm: The input tensor A must have at least 2 dimensions.")
    rows, columns = (wrap_dim(d, x.ndim) for d in dim)
    if rows == columns:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got ({dim[0]}, {dim[1]})")
    if ord == "fro":
        return spread.vector_norm(x, 2.0, (rows, columns), keepdim, "linalg.matrix_norm")
    if isinstance(ord, str) and ord != "nuc":
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    if ord == "nuc" or abs(ord) == 2:
        return singular.matrix_norm(x, ord, (rows, columns), keepdim)
    if abs(ord) not in (1, math.inf):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    summed, other = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = reduce.sum(pointwise.abs(x), summed, keepdim=True)
    made: Tensor = (fold.amax if ord > 0 else fold.amin)(sums, other, keepdim=True)
    if keepdim:
        return made
    return made.squeeze((rows, columns))


@with_out
def norm(A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """A norm of vectors (one dimension) or matrices (two); the 2-norm of all elements unless `ord` is given.

    >>> import fastgrad as torch
    >>> torch.linalg.norm(torch.tensor([[3.0], [4.0]]))
    tensor(5.)
    """
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    dims = None if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    if dims is None and A.ndim not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If ord is specified but dim is not, the input must be 1D or 2D. Got {A.ndim}D."
        )
    if dims is not None and len(dims) not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dims)}")
    if len(dims) == 2 if dims is not None else A.ndim == 2:
        return matrix_norm(A, ord, dims or (-2, -1), keepdim, dtype=dtype)
    if isinstance(ord, str):
        raise RuntimeError(f"linalg.norm: Order {ord} not supported.")
    return vector_norm(A, ord, dims, keepdim, dtype=dtype)
