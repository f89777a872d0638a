"""L-BFGS."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fastgrad._tensor import Tensor
from fastgrad.autograd.modes import enable_grad, no_grad
from fastgrad.ops.create import zeros
from fastgrad.ops.join import cat
from fastgrad.optim._checks import learning_rate
from fastgrad.optim._line_search import strong_wolfe
from fastgrad.optim.optimizer import Optimizer

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """Quasi-Newton steps from a limited memory of gradients (Nocedal, 1980), in PyTorch's form of Schmidt's minFunc.

    A step makes up to `max_iter` moves, and needs a closure that computes the loss and the gradients anew. It ends when
    no gradient is larger than `tolerance_grad`, when loss and parameters change by less than `tolerance_change`, or
    after `max_eval` calls of the closure. `line_search_fn="strong_wolfe"` looks for a good length of each move; without
    it the length is `lr`. There is one group of parameters.

    >>> import fastgrad as torch
    >>> w = torch.tensor([3.0, -2.0], requires_grad=True)
    >>> optimizer = torch.optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 1) ** 2 * torch.tensor([1.0, 10.0])).sum()
    ...     loss.backward()
    ...     return loss
    >>> _ = optimizer.step(closure)
    >>> bool(((w - 1).abs() < 1e-3).all())
    True
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        learning_rate(lr)
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Up to `max_iter` moves; returns the loss before the first. TypeError without a closure."""
        if closure is None:
            raise TypeError("LBFGS.step() missing 1 required positional argument: 'closure'")
        with no_grad():
            return self._moves(closure)

    def _moves(self, closure: Callable[[], Any]) -> Any:
        if len(self.param_groups) != 1:
            raise AssertionError(f"Expected exactly one param_group, but got {len(self.param_groups)}")
        group = self.param_groups[0]
        parameters, lr = group["params"], float(group["lr"])
        # There is one state for all parameters together; it stands at the first, so that saving and loading fit it.
        state = self.state[parameters[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)

        with enable_grad():
            first_loss = closure()
        loss, evaluations = float(first_loss), 1
        state["func_evals"] += 1
        gradient = _flat_gradient(parameters)
        if _largest(gradient) <= group["tolerance_grad"]:
            return first_loss

        for move in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                state.update(d=-gradient, old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
                length = min(1.0, 1.0 / float(gradient.abs().sum())) * lr
            else:
                _remember(state, gradient, group["history_size"])
                state["d"] = _direction(state, gradient)
                length = lr
            direction = state["d"]
            state.update(prev_flat_grad=gradient.clone(), prev_loss=loss, t=length)

            slope = float(gradient.dot(direction))
            if slope > -group["tolerance_change"]:
                break

            needed = 0
            if group["line_search_fn"] is None:
                _move(parameters, length, direction)
                if move < group["max_iter"]:  # nothing looks at the loss after the last move
                    with enable_grad():
                        loss = float(closure())
                    gradient, needed = _flat_gradient(parameters), 1
            elif group["line_search_fn"] == "strong_wolfe":

                def along(distance: float) -> tuple[float, Tensor]:
                    """Loss and gradient at a distance along the direction; the parameters come back."""
                    start = [parameter.clone() for parameter in parameters]
                    _move(parameters, distance, direction)  # noqa: B023
                    with enable_grad():
                        value = float(closure())
                    there = _flat_gradient(parameters)
                    for parameter, values in zip(parameters, start):
                        parameter.copy_(values)
                    return value, there

                most = group["max_eval"] - evaluations
                loss, gradient, length, needed = strong_wolfe(along, length, direction, loss, gradient, slope, most)
                state["t"] = length
                _move(parameters, length, direction)
            else:
                raise RuntimeError("only 'strong_wolfe' is supported")
            evaluations += needed
            state["func_evals"] += needed

            if evaluations >= group["max_eval"] or _largest(gradient) <= group["tolerance_grad"]:
                break
            if _largest(direction) * abs(length) <= group["tolerance_change"]:
                break
            if abs(loss - state["prev_loss"]) < group["tolerance_change"]:
                break
        return first_loss


def _remember(state: dict[str, Any], gradient: Tensor, most: int) -> None:
    """Add the last move and the change of the gradient along it, where the curvature was positive."""
    change, move = gradient - state["prev_flat_grad"], state["d"] * float(state["t"])
    curvature = float(change.dot(move))
    if curvature > 1e-10:
        if len(state["old_dirs"]) == most:
            for name in ("old_dirs", "old_stps", "ro"):
                state[name].pop(0)
        state["old_dirs"].append(change)
        state["old_stps"].append(move)
        state["ro"].append(1.0 / curvature)
        state["H_diag"] = curvature / float(change.dot(change))


def _direction(state: dict[str, Any], gradient: Tensor) -> Tensor:
    """Minus the remembered inverse Hessian times the gradient: the two loops of Nocedal (1980)."""
    remembered = list(zip(state["old_dirs"], state["old_stps"], map(float, state["ro"])))
    direction, weights = -gradient, []
    for change, move, inverse in reversed(remembered):
        weight = float(move.dot(direction)) * inverse
        direction.add_(change, alpha=-weight)
        weights.append(weight)
    direction.mul_(float(state["H_diag"]))
    for change, move, inverse in remembered:
        direction.add_(move, alpha=weights.pop() - float(change.dot(direction)) * inverse)
    return direction


def _flat_gradient(parameters: list[Tensor]) -> Tensor:
    """All gradients in one row; zeros where there is none."""
    return cat([zeros(p.numel(), dtype=p.dtype) if p.grad is None else p.grad.detach().reshape(-1) for p in parameters])


def _move(parameters: list[Tensor], length: float, direction: Tensor) -> None:
    """Add `length` times the direction to the parameters."""
    offset = 0
    for parameter in parameters:
        count = parameter.numel()
        parameter.add_(direction[offset : offset + count].reshape(parameter.shape), alpha=length)
        offset += count


def _largest(vector: Tensor) -> float:
    return float(vector.abs().max())
