"""fastgrad: PyTorch's way of training, on NumPy and numba. `import fastgrad as torch` runs an MLP program unchanged."""

from __future__ import annotations

import builtins as _builtins
import importlib as _importlib
import math as _math
from pathlib import Path as _Path
from typing import Any as _Any

if not (_Path(__file__).parent / "kernels").exists():  # a bare checkout: the folder kernels/ stands beside this one
    __path__.append(str(_Path(__file__).parents[1]))

from . import _generator as random
from . import _methods, autograd
from ._device import contiguous_format, memory_format, preserve_format
from ._dtype import bool_ as bool
from ._dtype import (
    can_cast,
    dtype,
    finfo,
    float32,
    float64,
    get_default_dtype,
    iinfo,
    int8,
    int16,
    int32,
    int64,
    promote_types,
    set_default_dtype,
    uint8,
)
from ._dtype import float32 as float
from ._dtype import float64 as double
from ._dtype import int16 as short
from ._dtype import int32 as int
from ._dtype import int64 as long
from ._format import set_printoptions
from ._generator import Generator, default_generator, get_rng_state, initial_seed, manual_seed, seed, set_rng_state
from ._geometry import Size
from ._method_table import layout, strided
from ._suggest import suggest as _suggest
from ._tensor import Tensor, device
from ._typename import typename
from .autograd.anomaly import is_anomaly_check_nan_enabled, is_anomaly_enabled
from .autograd.modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from .kernels.cpu.matmul.precision import get_float32_matmul_precision, set_float32_matmul_precision
from .kernels.pool import get_num_threads, set_num_threads
from .ops.activation import relu, relu_, sigmoid_, tanh_
from .ops.arithmetic import (
    add,
    div,
    divide,
    mul,
    multiply,
    neg,
    negative,
    positive,
    sigmoid,
    sub,
    subtract,
    tanh,
    true_divide,
)
from .ops.bilinear import bilinear
from .ops.choose import clamp, clamp_max, clamp_min, clip, maximum, minimum, where
from .ops.compare import eq, ge, greater, greater_equal, gt, le, less, less_equal, lt, ne, not_equal
from .ops.composed import cdist, logaddexp, nanmean, nansum
from .ops.contraction import addbmm, addmv, addr, baddbmm, einsum, ger, inner, tensordot, vdot
from .ops.convert import result_type
from .ops.counting import bincount, count_nonzero, histc
from .ops.create import arange, empty, empty_like, eye, full, full_like, linspace, ones, ones_like, zeros, zeros_like
from .ops.data import (
    BoolTensor,
    ByteTensor,
    CharTensor,
    DoubleTensor,
    FloatTensor,
    IntTensor,
    LongTensor,
    ShortTensor,
    as_tensor,
    from_numpy,
    tensor,
)
from .ops.distance import cosine_similarity, pairwise_distance
from .ops.dropout import dropout
from .ops.elementwise import rsub
from .ops.embedding import embedding
from .ops.extreme import argmax, argmin, max, min
from .ops.fold import amax, amin, aminmax, logsumexp, prod
from .ops.fresh import asarray, from_dlpack, logspace, scalar_tensor, tril_indices, triu_indices
from .ops.fresh import range_ as _range
from .ops.functions import (
    acos,
    acosh,
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctanh,
    asin,
    asinh,
    atan,
    atanh,
    cos,
    cosh,
    erf,
    exp2,
    expm1,
    log1p,
    log2,
    log10,
    rsqrt,
    sin,
    sinh,
    tan,
)
from .ops.gated import celu, selu
from .ops.gather import gather, index_select, narrow, select, unique
from .ops.join import cat, concat, concatenate, stack
from .ops.layout import clone
from .ops.linear import addmm
from .ops.logic import (
    all,
    allclose,
    any,
    bitwise_and,
    bitwise_left_shift,
    bitwise_not,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    equal,
    isclose,
    isfinite,
    isinf,
    isnan,
    isneginf,
    isposinf,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
)
from .ops.masks import masked_fill, masked_scatter, masked_select, nonzero, take, take_along_dim
from .ops.mixing import addcdiv, addcmul, arctan2, atan2, lerp, nan_to_num
from .ops.multinomial import multinomial
from .ops.noise import alpha_dropout, feature_alpha_dropout, rrelu
from .ops.norm import batch_norm, group_norm, layer_norm, rms_norm
from .ops.order import permute, t, transpose
from .ops.pieces import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    broadcast_shapes,
    chunk,
    column_stack,
    dstack,
    hsplit,
    hstack,
    meshgrid,
    moveaxis,
    movedim,
    ravel,
    row_stack,
    split,
    tensor_split,
    unbind,
    unflatten,
    vsplit,
    vstack,
)
from .ops.piecewise import hardshrink, prelu, threshold
from .ops.places import index_add, index_copy, index_fill, index_put, scatter, scatter_add
from .ops.pointwise import abs, exp, log, reciprocal, sign, sqrt
from .ops.pointwise import as_tensor as _as_tensor
from .ops.power import pow, square
from .ops.product import bmm, dot, matmul, mm, mv, outer
from .ops.quotient import floor_divide, fmod, remainder
from .ops.random import bernoulli, normal, rand, rand_like, randint, randint_like, randn, randn_like, randperm
from .ops.ranking import argsort, kthvalue, median, msort, nanmedian, nanquantile, quantile, sort, topk
from .ops.rearrange import as_strided_ as _as_strided
from .ops.rearrange import (
    diag,
    diag_embed,
    diagflat,
    diagonal,
    flip,
    fliplr,
    flipud,
    repeat_interleave,
    roll,
    tile,
    trace,
    tril,
    triu,
)
from .ops.reduce import mean, sum
from .ops.rounding import ceil, fix, floor, frac, round, trunc
from .ops.running import cumprod, cumsum, logcumsumexp
from .ops.shape import flatten, reshape, squeeze, unsqueeze
from .ops.softmax import log_softmax, softmax
from .ops.spread import dist, norm, std, std_mean, var, var_mean
from .ops.stretch import broadcast_tensors, broadcast_to

__version__ = "0.1.0"
inf, nan, pi, e = _math.inf, _math.nan, _math.pi, _math.e
absolute = abs
swapaxes = swapdims = transpose
range = _range
as_strided = _as_strided
newaxis = None


def is_tensor(obj: _Any, /) -> _builtins.bool:
    """Whether `obj` is a tensor.

    >>> import fastgrad as torch
    >>> torch.is_tensor(torch.ones(1)), torch.is_tensor(1)
    (True, False)
    """
    return isinstance(obj, Tensor)


def numel(input: Tensor) -> _builtins.int:
    """The number of elements of a tensor."""
    _as_tensor(input, "numel")
    return input.numel()


def is_nonzero(input: Tensor) -> _builtins.bool:
    """Whether the only element of a tensor is not zero."""
    _as_tensor(input, "is_nonzero")
    return _builtins.bool(input)


def adjoint(input: Tensor) -> Tensor:
    """The last two dimensions exchanged, as a view."""
    return input.mT


def detach(input: Tensor) -> Tensor:
    """A view outside the graph."""
    return input.detach()


def is_floating_point(input: Tensor) -> _builtins.bool:
    """Whether the elements of a tensor are floating-point numbers."""
    _as_tensor(input, "is_floating_point")
    return input.is_floating_point()


_SUBMODULES = ("cuda", "distributions", "linalg", "nn", "optim", "utils")


def __getattr__(name: str) -> _Any:
    if name in _SUBMODULES:  # loaded when they are wanted: `import fastgrad` stays quick
        return _importlib.import_module(f"{__name__}.{name}")
    if name in ("load", "save"):
        return getattr(_importlib.import_module(f"{__name__}.io"), name)
    if name == "compile":
        from ._compile.step import compile

        globals()[name] = compile
        return compile
    raise _suggest(__name__, name, __all__)


__all__ = [
    "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "Generator", "IntTensor", "LongTensor",
    "ShortTensor", "Size", "Tensor", "__version__", "abs", "absolute", "acos", "acosh", "add", "addbmm", "addcdiv",
    "addcmul", "addmm", "addmv", "addr", "adjoint", "all", "allclose", "alpha_dropout", "amax", "amin", "aminmax",
    "any", "arange", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "argmax", "argmin",
    "argsort", "as_strided", "as_tensor", "asarray", "asin", "asinh", "atan", "atan2", "atanh", "atleast_1d",
    "atleast_2d", "atleast_3d", "autograd", "baddbmm", "batch_norm", "bernoulli", "bilinear", "bincount",
    "bitwise_and", "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "bmm",
    "bool", "broadcast_shapes", "broadcast_tensors", "broadcast_to", "can_cast", "cat", "cdist", "ceil", "celu",
    "chunk", "clamp", "clamp_max", "clamp_min", "clip", "clone", "column_stack", "compile", "concat", "concatenate",
    "contiguous_format", "cos", "cosh", "cosine_similarity", "count_nonzero", "cuda", "cumprod", "cumsum",
    "default_generator", "detach", "device", "diag", "diag_embed", "diagflat", "diagonal", "dist", "distributions",
    "div", "divide", "dot", "double", "dropout", "dstack", "dtype", "e", "einsum", "embedding", "empty", "empty_like",
    "enable_grad", "eq", "equal", "erf", "exp", "exp2", "expm1", "eye", "feature_alpha_dropout", "finfo", "fix",
    "flatten", "flip", "fliplr", "flipud", "float", "float32", "float64", "floor", "floor_divide", "fmod", "frac",
    "from_dlpack", "from_numpy", "full", "full_like", "gather", "ge", "ger", "get_default_dtype",
    "get_float32_matmul_precision", "get_num_threads", "get_rng_state", "greater", "greater_equal", "group_norm", "gt",
    "hardshrink", "histc", "hsplit", "hstack", "iinfo", "index_add", "index_copy", "index_fill", "index_put",
    "index_select", "inf", "inference_mode", "initial_seed", "inner", "int", "int8", "int16", "int32", "int64",
    "is_anomaly_check_nan_enabled", "is_anomaly_enabled", "is_floating_point", "is_grad_enabled",
    "is_inference_mode_enabled", "is_nonzero", "is_tensor", "isclose", "isfinite", "isinf", "isnan", "isneginf",
    "isposinf", "kthvalue", "layer_norm", "layout", "le", "lerp", "less", "less_equal", "linalg", "linspace", "load",
    "log", "log1p", "log2", "log10", "log_softmax", "logaddexp", "logcumsumexp", "logical_and", "logical_not",
    "logical_or", "logical_xor", "logspace", "logsumexp", "long", "lt", "manual_seed", "masked_fill", "masked_scatter",
    "masked_select", "matmul", "max", "maximum", "mean", "median", "memory_format", "meshgrid", "min", "minimum", "mm",
    "moveaxis", "movedim", "msort", "mul", "multinomial", "multiply", "mv", "nan", "nan_to_num", "nanmean",
    "nanmedian", "nanquantile", "nansum", "narrow", "ne", "neg", "negative", "newaxis", "nn", "no_grad", "nonzero",
    "norm", "normal", "not_equal", "numel", "ones", "ones_like", "optim", "outer", "pairwise_distance", "permute",
    "pi", "positive", "pow", "prelu", "preserve_format", "prod", "promote_types", "quantile", "rand", "rand_like",
    "randint", "randint_like", "randn", "randn_like", "randperm", "range", "ravel", "reciprocal", "relu", "remainder",
    "repeat_interleave", "reshape", "result_type", "rms_norm", "roll", "round", "row_stack", "rrelu", "rsqrt", "rsub",
    "save", "scalar_tensor", "scatter", "scatter_add", "seed", "select", "selu", "set_default_dtype",
    "set_float32_matmul_precision", "set_grad_enabled", "set_num_threads", "set_printoptions", "set_rng_state",
    "short", "sigmoid", "sign", "sin", "sinh", "softmax", "sort", "split", "sqrt", "square", "squeeze", "stack", "std",
    "std_mean", "strided", "sub", "subtract", "sum", "swapaxes", "swapdims", "t", "take", "take_along_dim", "tan",
    "tanh", "tensor", "tensor_split", "tensordot", "threshold", "tile", "topk", "trace", "transpose", "tril",
    "tril_indices", "triu", "triu_indices", "true_divide", "trunc", "typename", "uint8", "unbind", "unflatten",
    "unique", "unsqueeze", "utils", "var", "var_mean", "vdot", "vsplit", "vstack", "where", "zeros", "zeros_like",
]  # fmt: skip
