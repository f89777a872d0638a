"""Tools around training; `data` feeds it."""

from typing import NoReturn

from fastgrad._suggest import suggest
from fastgrad.utils import data

__all__ = ["data"]


def __getattr__(name: str) -> NoReturn:
    raise suggest(__name__, name, __all__)
