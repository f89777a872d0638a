"""Steps that the tape records, for `differentiable=True`: the same formulas in tensor operations.

A gradient can then flow through the update to whatever made the gradients, and to hyper-parameters that are tensors.
As in PyTorch the parameters must not be leaves that require a gradient: a step changes them in place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastgrad import _dtype
from fastgrad._tensor import Tensor
from fastgrad.autograd.modes import no_grad
from fastgrad.ops.create import full, full_like

if TYPE_CHECKING:
    from fastgrad.optim._table import TableOptimizer

__all__ = ["blended", "decayed_squares", "renew", "step"]


def step(optimizer: TableOptimizer) -> None:
    """One step of every parameter that has a gradient."""
    for group in optimizer.param_groups:
        names, start = optimizer._state_names(group), optimizer._start(group)
        for parameter in group["params"]:
            gradient = parameter.grad
            if gradient is None:
                continue
            state = optimizer.state[parameter]
            with no_grad():
                for count, before in optimizer._counts.items():
                    if count not in state:
                        state[count] = full((), before, dtype=_dtype.get_default_dtype())
                if "step" in state:
                    state["step"] = state["step"] + 1
                for name in names:
                    if name is not None and name not in state and start is not None:
                        state[name] = full_like(parameter, start)
            gradient = _descent(group, parameter, gradient)
            parameter.add_(optimizer._on_tape(group, parameter, gradient, state))


def _descent(group: dict[str, Any], parameter: Tensor, gradient: Tensor) -> Tensor:
    """The gradient to follow; decoupled decay changes the parameter instead."""
    if group["maximize"]:
        gradient = -gradient
    decay = group["weight_decay"]
    if not isinstance(decay, Tensor) and decay == 0:
        return gradient
    if group.get("decoupled_weight_decay"):
        parameter.mul_(1 - group["lr"] * decay)
        return gradient
    return gradient + parameter.clone() * decay


def renew(state: Any, name: str, value: Tensor) -> Tensor:
    """Write a new value over a state tensor; the value itself goes on, so that later steps may overwrite the state."""
    state[name].copy_(value)
    return value


def decayed_squares(state: Any, name: str, gradient: Tensor, keep: Any) -> Tensor:
    """Renew a running average of squares: keep * squares + (1 - keep) * gradient^2."""
    return renew(state, name, state[name].clone() * keep + gradient * gradient * (1 - keep))


def blended(state: Any, name: str, gradient: Tensor, keep: Any) -> Tensor:
    """Renew a running average: keep * average + (1 - keep) * gradient."""
    old = state[name].clone()
    return renew(state, name, old + (gradient - old) * (1 - keep))
