"""`Parameter`: a tensor that a module trains."""

from __future__ import annotations

from typing import Any

from fastgrad._tensor import Tensor

__all__ = ["Parameter"]

_FIELDS = tuple(name for name in Tensor.__slots__ if not name.startswith("__"))


class Parameter(Tensor):
    """A leaf tensor that `Module` finds when it is assigned as an attribute. It shares `data`'s memory.

    It requires grad unless told otherwise, also when made inside `no_grad`. What is computed from it is a
    plain Tensor.

    >>> import fastgrad as torch
    >>> from fastgrad import nn
    >>> nn.Parameter(torch.ones(2))
    Parameter containing:
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        source = Tensor() if data is None else data.detach()
        parameter: Parameter = object.__new__(cls)
        for field in _FIELDS:
            setattr(parameter, field, getattr(source, field))
        parameter.requires_grad = requires_grad
        return parameter

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        if id(self) not in memo:
            copied = type(self)(self.detach().clone(), self.requires_grad)
            copied.__dict__.update(self.__dict__)
            memo[id(self)] = copied
        made: Parameter = memo[id(self)]
        return made

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return type(self), (self.detach(), self.requires_grad), self.__dict__ or None
