"""Automatic differentiation: the tape, running it back, and writing derivatives by hand."""

from .functional import backward, grad
from .graph import Node
from .modes import enable_grad, inference_mode, no_grad, set_grad_enabled

__all__ = ["Node", "backward", "enable_grad", "grad", "inference_mode", "no_grad", "set_grad_enabled"]
