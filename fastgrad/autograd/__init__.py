"""Automatic differentiation: the tape, running it back, and writing derivatives by hand."""

from typing import NoReturn

from .._suggest import suggest
from . import anomaly as anomaly_mode
from . import function, functional, graph
from . import modes as grad_mode
from .anomaly import detect_anomaly, set_detect_anomaly
from .function import Function
from .gradcheck import GradcheckError, gradcheck, gradgradcheck
from .modes import enable_grad, inference_mode, no_grad, set_grad_enabled
from .passes import backward, grad
from .variable import Variable

__all__ = [
    "Function",
    "GradcheckError",
    "Variable",
    "anomaly_mode",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "function",
    "functional",
    "grad",
    "grad_mode",
    "gradcheck",
    "gradgradcheck",
    "graph",
    "inference_mode",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]


def __getattr__(name: str) -> NoReturn:
    raise suggest(__name__, name, __all__)
