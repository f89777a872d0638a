"""Optimizers and schedulers of learning rates, with PyTorch's names, options and results."""

from typing import NoReturn

from fastgrad._suggest import suggest
from fastgrad.optim import lr_scheduler
from fastgrad.optim.adadelta import Adadelta
from fastgrad.optim.adagrad import Adagrad
from fastgrad.optim.adam import Adam, AdamW
from fastgrad.optim.adamax import Adamax
from fastgrad.optim.lbfgs import LBFGS
from fastgrad.optim.nadam import NAdam
from fastgrad.optim.optimizer import Optimizer
from fastgrad.optim.radam import RAdam
from fastgrad.optim.rmsprop import RMSprop
from fastgrad.optim.sgd import SGD

__all__ = [
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "lr_scheduler",
]


def __getattr__(name: str) -> NoReturn:
    raise suggest(__name__, name, __all__)
