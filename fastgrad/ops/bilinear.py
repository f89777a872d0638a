"""Two inputs and a weight between them."""

from __future__ import annotations

from .._tensor import Tensor
from .order import permute
from .product import matmul
from .shape import reshape, unsqueeze


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """input1 @ weight[k] @ input2 + bias[k] for each k: (*, n), (*, m), weight (out, n, m) -> (*, out).

    RuntimeError where sizes do not fit.

    >>> import fastgrad as torch
    >>> torch.bilinear(torch.ones(1, 2), torch.ones(1, 3), torch.ones(1, 2, 3))
    tensor([[6.]])
    """
    a, b = input1.shape, input2.shape
    if len(a) != len(b):
        raise RuntimeError(f"bilinear(): input dimensions do not match: got {len(a)} and {len(b)}")
    for d, (own, other) in enumerate(zip(a[:-1], b[:-1], strict=True)):
        if own != other:
            raise RuntimeError(f"bilinear(): input batch dimensions do not match at dim {d}: got {own} and {other}")
    out, n, m = weight.shape
    for word, got, wanted in (("input1", a[-1], n), ("input2", b[-1], m)):
        if got != wanted:
            raise RuntimeError(f"bilinear(): {word} size does not match weight size: got {got} but expected {wanted}")
    if bias is not None and bias.shape != (out,):
        raise RuntimeError(f"bilinear(): bias size does not match weight size: got {bias.shape[0]} but expected {out}")
    rows = reshape(input1, (-1, n)) if n else reshape(input1, (input1.shape[0], 0))
    across = reshape(matmul(rows, reshape(permute(weight, (1, 0, 2)), (n, out * m))), (-1, out, m))
    y = reshape((across * unsqueeze(reshape(input2, (-1, m)), 1)).sum(-1), (*a[:-1], out))
    return y if bias is None else y + bias
