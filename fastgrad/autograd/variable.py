"""`Variable`: the name that tensors with gradients had before tensors had them themselves."""

from __future__ import annotations

from typing import Any

from .passes import is_tensor

__all__ = ["Variable"]


class _Tensors(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return is_tensor(instance)


class Variable(metaclass=_Tensors):
    """`Variable(data, requires_grad=False)` is a tensor on the same memory; every tensor is an instance of Variable.

    >>> import fastgrad as torch
    >>> torch.autograd.Variable(torch.ones(2), requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Any, requires_grad: bool = False, volatile: bool = False) -> Any:
        return data.detach().requires_grad_(requires_grad)
