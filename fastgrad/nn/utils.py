"""Tools for parameters and their gradients."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NoReturn

from fastgrad._suggest import suggest
from fastgrad._tensor import Tensor
from fastgrad._typename import typename
from fastgrad.autograd.modes import no_grad
from fastgrad.ops.data import tensor
from fastgrad.ops.join import cat, stack

__all__ = [
    "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm", "parameters_to_vector",
    "vector_to_parameters",
]  # fmt: skip


def __getattr__(name: str) -> NoReturn:
    raise suggest(__name__, name, __all__)


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients down together so that their norm, as one long vector, is at most `max_norm`.

    Returns the norm before. RuntimeError for a norm that is not finite, with `error_if_nonfinite`.

    >>> import fastgrad as torch
    >>> from fastgrad import nn
    >>> w = torch.ones(4, requires_grad=True)
    >>> w.sum().backward()
    >>> nn.utils.clip_grad_norm_([w], max_norm=1.0)
    tensor(2.)
    >>> w.grad
    tensor([0.5000, 0.5000, 0.5000, 0.5000])
    """
    if not isinstance(parameters, Tensor):
        parameters = list(parameters)  # it is read twice
    total = get_total_norm(_gradients(parameters), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(parameters, max_norm, total, foreach)
    return total


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The norm of all tensors as one long vector. RuntimeError where it is not finite, with `error_if_nonfinite`.

    >>> import fastgrad as torch
    >>> from fastgrad import nn
    >>> nn.utils.get_total_norm([torch.tensor([3.0]), torch.tensor([4.0])])
    tensor(5.)
    """
    listed = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    order = float(norm_type)
    with no_grad():
        if not listed:
            return tensor(0.0)
        norms = [_norm(x, order) for x in listed]
        total = norms[0] if len(norms) == 1 else _norm(stack([n.to(norms[0].dtype) for n in norms]), order)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise RuntimeError(
            f"The total norm of order {order} for gradients from "
            "`parameters` is non-finite, so it cannot be clipped. To disable "
            "this error and scale the gradients by the non-finite norm anyway, "
            "set `error_if_nonfinite=False`"
        )
    return total


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: bool | None = None
) -> None:
    """Scale all gradients by max_norm / total_norm where that is below 1.

    >>> import fastgrad as torch
    >>> from fastgrad import nn
    >>> w = torch.ones(1, requires_grad=True)
    >>> (8 * w).sum().backward()
    >>> nn.utils.clip_grads_with_norm_([w], 2.0, torch.tensor(4.0))
    >>> w.grad
    tensor([4.0000])
    """
    with no_grad():
        # Without a comparison, so that the gradients of one step never wait for the norm to be read.
        scale = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
        for gradient in _gradients(parameters):
            gradient.mul_(scale.to(gradient.dtype))


def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Bring every element of every gradient into [-clip_value, clip_value].

    >>> import fastgrad as torch
    >>> from fastgrad import nn
    >>> w = torch.ones(1, requires_grad=True)
    >>> (5 * w).sum().backward()
    >>> nn.utils.clip_grad_value_([w], 2.0)
    >>> w.grad
    tensor([2.])
    """
    with no_grad():
        for gradient in _gradients(parameters):
            gradient.clamp_(min=-float(clip_value), max=float(clip_value))


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters end to end in one vector.

    >>> import fastgrad as torch
    >>> from fastgrad import nn
    >>> nn.utils.parameters_to_vector([torch.ones(1, 2), torch.zeros(1)])
    tensor([1., 1., 0.])
    """
    return cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Let each parameter's data be its part of `vec`, which they share from then on.

    >>> import fastgrad as torch
    >>> from fastgrad import nn
    >>> w = torch.zeros(2)
    >>> nn.utils.vector_to_parameters(torch.ones(2), [w])
    >>> w
    tensor([1., 1.])
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {typename(vec)}")
    start = 0
    for parameter in parameters:
        end = start + parameter.numel()
        parameter.data = vec[start:end].view(parameter.shape).data
        start = end


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    listed = [parameters] if isinstance(parameters, Tensor) else parameters
    return [parameter.grad for parameter in listed if parameter.grad is not None]


def _norm(x: Tensor, order: float) -> Tensor:
    if order == math.inf:
        return x.abs().max()
    if order == 2.0:
        return (x * x).sum().sqrt()
    return x.abs().pow(order).sum().pow(1.0 / order)
