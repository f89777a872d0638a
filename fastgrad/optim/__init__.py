"""Optimizers, with PyTorch's names, options and results."""

from typing import NoReturn

from fastgrad._suggest import suggest
from fastgrad.optim.adam import Adam, AdamW
from fastgrad.optim.optimizer import Optimizer
from fastgrad.optim.rmsprop import RMSprop
from fastgrad.optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSprop"]


def __getattr__(name: str) -> NoReturn:
    raise suggest(__name__, name, __all__)
