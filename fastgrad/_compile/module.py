"""A compiled module, as `fastgrad.compile(module)` makes it."""

from __future__ import annotations

from typing import Any

from ..nn.module import Module
from .model import CompiledFunction

_OWN = ("_orig_mod", "_compiled", "forward")


class OptimizedModule(Module):
    """A module whose call is compiled. Everything else is the module's own, which is the child `_orig_mod`: attributes,
    mode, length; names in `state_dict()` begin with `_orig_mod.`, as PyTorch's do."""

    def __init__(self, module: Module, explain: bool = False) -> None:
        self.__dict__["_orig_mod"] = module
        super().__init__()
        del self.__dict__["training"]  # the property serves
        self._orig_mod = module
        self._compiled = CompiledFunction(module.__call__, explain)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the module, compiled."""
        return self._compiled(*args, **kwargs)

    @property
    def training(self) -> bool:
        """The module's mode."""
        return self._orig_mod.training

    @training.setter
    def training(self, value: bool) -> None:
        self._orig_mod.training = value

    def __len__(self) -> int:
        return len(self._orig_mod)  # type: ignore[arg-type]

    def __getattr__(self, name: str) -> Any:
        if name in _OWN or name.startswith("__"):  # a copy that is not filled yet
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self._orig_mod, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _OWN or hasattr(type(self), name):
            super().__setattr__(name, value)
        else:
            setattr(self._orig_mod, name, value)

    def __delattr__(self, name: str) -> None:
        if name in _OWN or hasattr(type(self), name):
            super().__delattr__(name)
        else:
            delattr(self._orig_mod, name)

    def __reduce__(self) -> Any:
        return OptimizedModule, (self._orig_mod, self._compiled._step._explain)


__all__ = ["OptimizedModule"]
