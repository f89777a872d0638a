"""Layers, losses and the modules that hold them, with PyTorch's names."""

from typing import NoReturn

from fastgrad._suggest import suggest
from fastgrad.nn import (
    activation,
    container,
    dropout,
    functional,
    init,
    linear,
    loss,
    margin_loss,
    modules,
    norm,
    parameter_list,
    piecewise,
    sparse,
    utils,
)
from fastgrad.nn.activation import *  # noqa: F403
from fastgrad.nn.container import *  # noqa: F403
from fastgrad.nn.dropout import *  # noqa: F403
from fastgrad.nn.linear import *  # noqa: F403
from fastgrad.nn.loss import *  # noqa: F403
from fastgrad.nn.margin_loss import *  # noqa: F403
from fastgrad.nn.module import Module
from fastgrad.nn.norm import *  # noqa: F403
from fastgrad.nn.parameter import Buffer, Parameter, UninitializedParameter
from fastgrad.nn.parameter_list import *  # noqa: F403
from fastgrad.nn.piecewise import *  # noqa: F403
from fastgrad.nn.sparse import *  # noqa: F403

__all__ = [
    "Buffer", "Module", "Parameter", "UninitializedParameter", "functional", "init", "modules", "utils",
    *activation.__all__, *container.__all__, *dropout.__all__, *linear.__all__, *loss.__all__, *margin_loss.__all__,
    *norm.__all__, *parameter_list.__all__, *piecewise.__all__, *sparse.__all__,
]  # fmt: skip


def __getattr__(name: str) -> NoReturn:
    raise suggest(__name__, name, __all__)
