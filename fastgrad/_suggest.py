"""The nearest real name for one that does not exist: `F.mse` -> "Did you mean: 'mse_loss'?"."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

__all__ = ["NamingKeywords", "naming_keywords", "nearest", "suggest"]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate a person most likely meant by `name`, or None.

    A family name comes before a look-alike: `mse` means `mse_loss`, although `elu` is fewer letters away.
    """
    import difflib  # a slip is rare, and the import costs a millisecond

    names = sorted(candidates)
    wanted = name.lower()
    for same in (
        lambda other: other.lower() == wanted,
        lambda other: other.strip("_").lower() == wanted.strip("_"),
        lambda other: other.lower().startswith(wanted + "_"),
        lambda other: other.replace("_", "").lower() == wanted.replace("_", ""),
    ):
        for other in names:
            if same(other):
                return other
    spelled = {other.lower(): other for other in names}
    for close in difflib.get_close_matches(wanted, spelled, n=1, cutoff=0.6):
        return spelled[close]
    return next((other for other in names if len(name) > 2 and wanted in other.lower()), None)


def suggest(module_name: str, name: str, candidates: Iterable[str]) -> AttributeError:
    """The error of a module without attribute `name`; a module's `__getattr__` raises it.

    >>> raise suggest("fastgrad.nn.functional", "mse", ["relu", "mse_loss"])
    Traceback (most recent call last):
        ...
    AttributeError: module 'fastgrad.nn.functional' has no attribute 'mse'. Did you mean: 'mse_loss'?
    """
    text = f"module '{module_name}' has no attribute '{name}'"
    # Protocol probes (`__path__`, `__wrapped__`, ...) are asked for by tools, not mistyped by people.
    if not name.startswith("__"):
        meant = nearest(name, candidates)
        if meant is not None:
            text += f". Did you mean: '{meant}'?"
    return AttributeError(text)


def naming_keywords(function: _Function) -> _Function:
    """Make the TypeError for a keyword that `function` does not have name the nearest one that it has.

    Python says it itself from 3.13 on, and so does this, in the same words, before.
    """
    if sys.version_info >= (3, 13):
        return function

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            told = re.fullmatch(r".* got an unexpected keyword argument '(\w+)'", str(error))
            here = error.__traceback__
            if told is None or here is None or here.tb_next is not None:  # or it was raised deeper, by something else
                raise
            code = function.__code__
            names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
            meant = nearest(told[1], names)
            if meant is None:
                raise
        text = told[0].replace("Differentiable.", "Tensor.", 1)  # the class that people know
        raise TypeError(f"{text}. Did you mean '{meant}'?")

    return call  # type: ignore[return-value]


class NamingKeywords:
    """A base of classes whose subclasses in this package get `naming_keywords` for what makes their objects."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in vars(cls) and cls.__module__.startswith("fastgrad."):
            cls.__init__ = naming_keywords(vars(cls)["__init__"])  # type: ignore[method-assign]
