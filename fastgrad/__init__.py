"""fastgrad: PyTorch's way of training, on NumPy and numba. `import fastgrad as torch` runs an MLP program unchanged."""

from pathlib import Path as _Path

if not (_Path(__file__).parent / "kernels").exists():  # a bare checkout: the folder kernels/ stands beside this one
    __path__.append(str(_Path(__file__).parents[1]))

from . import _methods, autograd
from ._dtype import (
    dtype, float32, float64, get_default_dtype, int8, int16, int32, int64, promote_types, set_default_dtype, uint8,
)
from ._dtype import bool_ as bool
from ._dtype import float32 as float
from ._dtype import float64 as double
from ._dtype import int32 as int
from ._dtype import int64 as long
from ._geometry import Size
from ._tensor import Tensor, device
from .autograd.modes import (
    enable_grad, inference_mode, is_grad_enabled, is_inference_mode_enabled, no_grad, set_grad_enabled,
)
from .ops.create import (
    arange, empty, empty_like, eye, full, full_like, linspace, ones, ones_like, zeros, zeros_like,
)
from .ops.data import as_tensor, from_numpy, tensor
from .ops.elementwise import add, div, eq, ge, gt, le, lt, mul, ne, neg, rsub, sub
from .ops.gather import gather, index_select, narrow, select, unique
from .ops.join import cat, concat, stack
from .ops.linear import addmm, bmm, dot, matmul, mm, mv, outer
from .ops.choose import clamp, clip, maximum, minimum, where
from .ops.pointwise import abs, exp, log, reciprocal, sign, sqrt
from .ops.power import pow
from .ops.extreme import argmax, argmin, max, min
from .ops.reduce import mean, sum
from .ops.shape import broadcast_tensors, broadcast_to, clone, flatten, permute, reshape, squeeze, t, transpose, unsqueeze
