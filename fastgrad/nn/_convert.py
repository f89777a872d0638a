"""Changing the dtype or the device of all parameters and buffers of a module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from fastgrad._tensor import Tensor
from fastgrad.nn._registration import Registration

__all__ = ["Convert"]


class Convert(Registration):
    """`to` and its short forms. Parameters keep their identity: an optimizer made before goes on working."""

    def _apply(self, fn: Callable[[Tensor], Tensor]) -> Self:
        """Replace every parameter's data, its gradient, and every buffer by `fn` of it."""
        for module in self._modules.values():
            if module is not None:
                module._apply(fn)
        for parameter in self._parameters.values():
            if parameter is None:
                continue
            gradient = parameter.grad
            parameter.grad = None
            parameter.data = fn(parameter.data)
            if gradient is not None:
                parameter.grad = fn(gradient.detach()).requires_grad_(gradient.requires_grad)
        for name, buffer in self._buffers.items():
            if buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """`to(device)`, `to(dtype)`, `to(device, dtype)` or `to(tensor)`; integer buffers keep their dtype.

        >>> import fastgrad as torch
        >>> from fastgrad import nn
        >>> nn.Linear(2, 1).to(torch.float64).weight.dtype
        torch.float64
        """
        dtype = kwargs.get("dtype")
        for argument in args:
            if isinstance(argument, Tensor):
                dtype = argument.dtype
            elif hasattr(argument, "is_floating_point"):
                dtype = argument
        if dtype is not None and not dtype.is_floating_point:
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )
        if dtype is None:
            return self._apply(lambda t: t.to(*args, **kwargs))

        def converted(t: Tensor) -> Tensor:
            return t.to(*args, **kwargs) if t.is_floating_point() else t

        return self._apply(converted)

    def type(self, dst_type: Any) -> Self:
        """Every parameter and buffer, integer ones too, to one dtype."""
        return self._apply(lambda t: t.type(dst_type))

    def float(self) -> Self:
        """Floating-point parameters and buffers to float32."""
        return self._apply(lambda t: t.float() if t.is_floating_point() else t)

    def double(self) -> Self:
        """Floating-point parameters and buffers to float64."""
        return self._apply(lambda t: t.double() if t.is_floating_point() else t)

    def cuda(self, device: Any = None) -> Self:
        """AssertionError: there is no such device."""
        return self._apply(lambda t: t.cuda(device))

    def cpu(self) -> Self:
        """Everything to the CPU."""
        return self._apply(lambda t: t.cpu())
