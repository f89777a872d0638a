"""Layers, losses and the modules that hold them, with PyTorch's names."""

from typing import NoReturn

from fastgrad._suggest import suggest
from fastgrad.nn import functional, init, utils
from fastgrad.nn.activation import (
    ELU,
    GELU,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from fastgrad.nn.container import ModuleList, Sequential
from fastgrad.nn.dropout import Dropout
from fastgrad.nn.linear import Flatten, Identity, Linear
from fastgrad.nn.loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)
from fastgrad.nn.module import Module
from fastgrad.nn.parameter import Parameter

__all__ = [
    "ELU",
    "GELU",
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "Dropout",
    "Flatten",
    "Identity",
    "L1Loss",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "Module",
    "ModuleList",
    "NLLLoss",
    "Parameter",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softplus",
    "Tanh",
    "functional",
    "init",
    "utils",
]


def __getattr__(name: str) -> NoReturn:
    raise suggest(__name__, name, __all__)
