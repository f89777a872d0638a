"""Whether operations are recorded: the thread's grad mode, as functions, context managers and decorators."""

from __future__ import annotations

import functools
import inspect
import threading
import warnings
from array import array
from collections.abc import Callable
from types import TracebackType
from typing import Any


class _State(threading.local):
    """What each thread has of its own. Operations read `enabled` on every call."""

    enabled = True
    inference = False
    anomaly = False
    retains = False  # whether the pass that is running back keeps the graph for another


state = _State()
# While all of these are 0, nobody need look further: how many `inference_mode` blocks are open, in all threads; whether
# anomalies are looked for; whether somebody listens to launches, and to new memory. Compiled code reads them too.
unusual = array("q", [0, 0, 0, 0])
INFERENCE, ANOMALY, HOOK, WATCH = range(4)
_counting = threading.Lock()


class InferenceCell(list[Any]):
    """The version cell of a tensor made in inference mode: it counts no versions, and so the tape may not save it."""

    def __getitem__(self, place: Any) -> Any:
        if place == 0 and not state.inference:
            raise RuntimeError(
                "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in "
                "computation tracked by autograd. To work around this, you can make a clone to get a normal tensor and use "
                "it in autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`."
            )
        return super().__getitem__(place)


def is_grad_enabled() -> bool:
    """Whether operations of this thread are recorded."""
    return state.enabled


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside `inference_mode`."""
    return state.inference


class _Mode:
    """A context manager that is also a decorator: each call (and each step of a generator) runs inside it."""

    def _copy(self) -> _Mode:
        return type(self)()

    def __enter__(self) -> None:
        raise NotImplementedError

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        raise NotImplementedError

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.isclass(function):
            warnings.warn(
                "Decorating classes is deprecated and will be disabled in future versions. You should only decorate "
                "functions or methods. To preserve the current behavior of class decoration, you can directly decorate the "
                "`__init__` method and nothing else.",
                FutureWarning,
                stacklevel=2,
            )
        if inspect.isgeneratorfunction(function):
            return _around_generator(self, function)

        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with self._copy():
                return function(*args, **kwargs)

        return inside


def _around_generator(mode: _Mode, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def inside(*args: Any, **kwargs: Any) -> Any:
        generator = function(*args, **kwargs)
        resume, given = generator.send, None
        try:
            while True:
                with mode._copy():
                    made = resume(given)
                try:
                    resume, given = generator.send, (yield made)  # the caller runs in its own mode
                except GeneratorExit:
                    raise
                except BaseException as thrown:
                    resume, given = generator.throw, thrown
        except StopIteration as stop:
            return stop.value
        finally:
            with mode._copy():
                generator.close()

    return inside


class _Enabled(_Mode):
    """Sets the grad mode to one value while it is entered."""

    enabled = True

    def __enter__(self) -> None:
        self.before = state.enabled
        state.enabled = self.enabled and not state.inference

    def __exit__(self, *_: object) -> None:
        state.enabled = self.before


class no_grad(_Enabled):
    """Nothing is recorded inside. Also a decorator.

    >>> import fastgrad as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.no_grad():
    ...     (x * 2).requires_grad
    False
    """

    enabled = False

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        made = super().__new__(cls)
        return made if function is None else made(function)  # `@no_grad` without parentheses


class enable_grad(_Enabled):
    """Operations are recorded inside, also within `no_grad`. Also a decorator."""

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        made = super().__new__(cls)
        return made if function is None else made(function)


class set_grad_enabled(_Enabled):
    """Sets the grad mode: at once as a function, for a block as a context manager, for a function as a decorator."""

    def __init__(self, mode: bool) -> None:
        if not isinstance(mode, bool):
            raise TypeError(f"set_grad_enabled(): argument 'enabled' (position 1) must be bool, not {type(mode).__name__}")
        self.enabled = mode
        self.before = state.enabled
        state.enabled = self.enabled and not state.inference

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        state.enabled = self.before
        return super().__call__(function)

    def _copy(self) -> _Mode:
        made = _Enabled()
        made.enabled = self.enabled
        return made

    def __enter__(self) -> None:
        state.enabled = self.enabled and not state.inference


class inference_mode(_Mode):
    """Like `no_grad`, and the tensors made inside can never take part in a graph. Also a decorator."""

    def __new__(cls, mode: Any = True) -> Any:
        made = super().__new__(cls)
        if callable(mode):
            made.mode = True
            return made(mode)
        return made

    def __init__(self, mode: bool = True) -> None:
        self.mode = bool(mode)

    def _copy(self) -> _Mode:
        return inference_mode(self.mode)

    def __enter__(self) -> None:
        with _counting:
            unusual[INFERENCE] += self.mode
        self.before = state.inference, state.enabled
        state.inference, state.enabled = self.mode, not self.mode

    def __exit__(self, *_: object) -> None:
        state.inference, state.enabled = self.before
        with _counting:
            unusual[INFERENCE] -= self.mode
