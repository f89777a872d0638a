"""`LRScheduler`: what every scheduler is, and the small things that they share."""

from __future__ import annotations

import types
import warnings
from collections.abc import Callable
from typing import Any

from fastgrad._recording import effect, refuse
from fastgrad._tensor import Tensor
from fastgrad.optim.optimizer import Optimizer

__all__ = ["LRScheduler", "attributes_of", "checked", "each_group", "rates", "set_rate", "warn_of_epoch"]

_EPOCH = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use "
    "`scheduler.step()` to step the scheduler. During the deprecation, if epoch is different from None, the closed form is "
    "used instead of the new chainable form, where available. Please open an issue if you are unable to replicate your use "
    "case: https://github.com/pytorch/pytorch/issues/new/choose."
)
_HOW_TO = "https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"


class LRScheduler:
    """Base of the schedulers. A subclass gives `get_lr`, the rates of the epoch `last_epoch`, one for each group.

    A scheduler steps once when it is made. `last_epoch` other than -1 resumes: the groups then need their
    `initial_lr`, which a loaded optimizer has.

    >>> import fastgrad as torch
    >>> class Halving(torch.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [rate * 0.5**self.last_epoch for rate in self.base_lrs]
    >>> optimizer = torch.optim.SGD([torch.ones(1)], lr=1.0)
    >>> scheduler = Halving(optimizer)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    _get_lr_called_within_step = False
    _is_initial = False
    _last_lr: list[Any]

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = checked(optimizer)
        for number, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", _own(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{number}] when resuming scheduler with "
                    "last_epoch >= 0.\nThis typically happens when:\n1. You're trying to resume training from a checkpoint "
                    "but haven't properly loaded the optimizer state\n2. You're using last_epoch >= 0 for a fresh training "
                    "run (not recommended)"
                )
        self.base_lrs = rates(optimizer, "initial_lr")
        self.last_epoch: Any = last_epoch
        if "_scheduled" not in optimizer.__dict__:  # only steps from now on count as made before `scheduler.step()`
            optimizer._scheduled = True  # type: ignore[attr-defined]
            optimizer._opt_called = False
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self) -> dict[str, Any]:
        """All that the scheduler knows but its optimizer."""
        return {name: value for name, value in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from what `state_dict()` gave."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> list[Any]:
        """The rates that the last step set, one for each group."""
        refuse("Python reads a scheduler's rates")
        return self._last_lr

    def get_lr(self) -> list[Any]:
        """The rates of the epoch `last_epoch`, for `step`; outside it `get_last_lr` is meant."""
        raise NotImplementedError

    @effect
    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch and set its rates. Warns where the optimizer has not made a step before."""
        if self._step_count == 1:
            if not getattr(self.optimizer.step, "hooked", False):
                warnings.warn(
                    "Seems like `optimizer.step()` has been overridden after learning rate scheduler initialization. "
                    "Please, make sure to call `optimizer.step()` before `lr_scheduler.step()`. "
                    f"See more details at {_HOW_TO}",
                    stacklevel=2,
                )
            elif not self.optimizer._opt_called:
                warnings.warn(
                    "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, you "
                    "should call them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  Failure "
                    "to do this will result in PyTorch skipping the first value of the learning rate schedule. "
                    f"See more details at {_HOW_TO}",
                    stacklevel=2,
                )
        self._step_count += 1
        if epoch is not None:
            warn_of_epoch()
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        """Set the rates of the next epoch, or of the given one, by the closed form where there is one."""
        wanted: Callable[[], list[Any]] = self.get_lr
        if epoch is None:
            self.last_epoch += 1
        else:
            self.last_epoch = epoch
            wanted = getattr(self, "_get_closed_form_lr", wanted)
        self._set(wanted)

    def _set(self, wanted: Callable[[], list[Any]]) -> None:
        """Set the rates that `wanted` gives."""
        self._get_lr_called_within_step = True
        try:
            values = wanted()
        finally:
            self._get_lr_called_within_step = False
        for group, rate in zip(self.optimizer.param_groups, values, strict=True):
            set_rate(group, rate)
        self._last_lr = rates(self.optimizer)

    def _warn_outside_step(self) -> None:
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.", stacklevel=3
            )

    def _scaled(self, factor: float = 1.0) -> list[Any]:
        """The groups' rates as they are, times a factor."""
        return rates(self.optimizer) if factor == 1.0 else [group["lr"] * factor for group in self.optimizer.param_groups]


def checked(optimizer: Any) -> Optimizer:
    """TypeError for what is no optimizer."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")
    return optimizer


def rates(optimizer: Optimizer, name: str = "lr") -> list[Any]:
    """An option of every group; tensors are copied, because schedulers change rates in place."""
    return [_own(group[name]) for group in optimizer.param_groups]


def set_rate(group: dict[str, Any], rate: Any) -> None:
    """Give a group its rate; a tensor stays the same tensor."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


def each_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """One value for each group, from a list of them or from one for all. ValueError for a list of another length."""
    count = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [_own(value) for _ in range(count)]
    if len(value) != count:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. "
            f"{name} has {len(value)} values, param_groups has {count}."
        )
    return [_own(part) for part in value]


def attributes_of(function: Any) -> dict[str, Any] | None:
    """What can be saved of a callable: the attributes of an object, nothing of a plain function."""
    if function is None or isinstance(function, types.FunctionType):
        return None
    return dict(getattr(function, "__dict__", {}))


def warn_of_epoch() -> None:
    warnings.warn(_EPOCH, stacklevel=3)


def _own(value: Any) -> Any:
    return value.clone() if isinstance(value, Tensor) else value
