"""Normalisation: batch, layer, group and RMS norm.

The forward keeps mean and 1 / deviation, which the backward kernels read. With `create_graph` the derivative is written in
operations on the input instead, so that it can be differentiated again.
"""

from __future__ import annotations

import functools
from typing import Any

from .. import _dtype
from .._launch import batch_norm as batch_launch
from .._launch import norm as launch
from .._tensor import Tensor
from ..autograd.modes import state
from .op import op
from .shape import reshape

Gradients = tuple[Tensor | None, Tensor | None, Tensor | None]


def _slopes(
    x: Tensor, gy: Tensor, w: Tensor | None, dims: tuple[int, ...], own: tuple[int, ...], moments: Any, plain: bool,
    eps: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """The gradients along x, scale and shift, in operations. Numbers over `dims` are normalised together, those over `own`
    share a scale; `moments` are mean and 1 / deviation where they are constants."""
    if moments is not None:
        centred, rstd = x - moments[0], moments[1]
    else:
        centred = x if plain else x - x.mean(dims, keepdim=True)
        rstd = ((centred * centred).mean(dims, keepdim=True) + eps) ** -0.5
    xhat = centred * rstd
    g = gy if w is None else gy * w
    along = g
    if moments is None:
        along = g - xhat * (g * xhat).mean(dims, keepdim=True)
        if not plain:
            along = along - g.mean(dims, keepdim=True)
    return along * rstd, (gy * xhat).sum(own), gy.sum(own)


_checked: dict[Any, Any] = {}  # by the metas of what was checked: the sizes that the launch wants


def _remember(key: Any, sizes: Any) -> Any:
    if len(_checked) > 10_000:
        _checked.clear()
    _checked[key] = sizes
    return sizes


def _meta(x: Tensor | None) -> Any:
    return None if x is None else x._meta


# --- rows: layer, group and RMS norm ------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=1000)
def _row_norm(name: str, plain: bool, sizes: tuple[int, int, int, int], eps: float) -> Any:
    """The operation f(x, w, b), with w and b (or None) of any shape that has the right number of elements."""

    @op(name=name)
    def row_norm(ctx: Any, x: Tensor, w: Tensor | None, b: Tensor | None) -> Tensor:
        ctx.save(x, w, b)
        y, ctx.scratch = launch.row_norm(x, w, b, sizes, plain, eps)
        return y

    @row_norm.derivative
    def row_norm_derivative(ctx: Any, gy: Tensor) -> Gradients:
        x, w, b = ctx.saved
        need_x, need_w, need_b = ctx.needs
        gx: Tensor | None
        gw: Tensor | None
        gb: Tensor | None
        if state.enabled:
            rows, n, inner, groups = sizes
            view = (rows // groups, groups, n // (inner or 1), inner)
            scale = None if w is None else reshape(w, (1, *view[1:3], 1))
            found = _slopes(reshape(x, view), reshape(gy, view), scale, (2, 3), (0, 3), None, plain, eps)
            gx, gw, gb = reshape(found[0], x.shape), *found[1:]
        else:
            gx, gw, gb = launch.row_norm_backward(x, gy, w, ctx.scratch, sizes, plain, need_x, need_w or need_b)
        return gx if need_x else None, _shaped(gw, w) if need_w else None, _shaped(gb, b) if need_b else None

    return row_norm


def _shaped(gradient: Tensor | None, parameter: Tensor) -> Tensor | None:
    same = gradient is None or gradient.shape == parameter.shape
    return gradient if same else reshape(gradient, parameter.shape)  # type: ignore[arg-type]


def _check(kernel: str, x: Tensor, *others: Tensor | None) -> None:
    kind = x._meta.dtype
    if kind.category != 2:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind.scalar_name}'")
    for other in others:
        if other is not None and other._meta.dtype is not kind:
            raise RuntimeError("mixed dtype (CPU): all inputs must share same datatype.")


def _shape_of(
    x: Tensor, name: str, normalized_shape: Any, between: str, **affine: Tensor | None
) -> tuple[int, int, int, int]:
    """The sizes of rows; errors with PyTorch's texts."""
    if isinstance(normalized_shape, int) or normalized_shape is None:
        given = type(normalized_shape).__name__
        raise TypeError(f"{name}(): argument 'normalized_shape' (position 2) must be tuple of ints, not {given}")
    wanted = tuple(normalized_shape)
    shown = list(wanted)
    if not wanted:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            f"normalized_shape = {shown}"
        )
    for word, tensor in affine.items():
        if tensor is not None and tensor.shape != wanted:
            raise RuntimeError(
                f"Expected {word} to be of same shape as normalized_shape, but got {word} of shape {list(tensor.shape)} and "
                f"normalized_shape = {shown}"
            )
    if x.shape[-len(wanted) :] != wanted:
        raise RuntimeError(
            f"Given normalized_shape={shown}, expected input with shape [*{between}{str(shown)[1:-1]}], but got input of "
            f"size{list(x.shape)}"
        )
    n = 1
    for size in wanted:
        n *= size
    return x._numel // n if n else 0, n, 1, 1


def layer_norm(
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
    cudnn_enable: bool = True,
) -> Tensor:
    """(x - mean) / sqrt(variance + eps) weight + bias over the last dimensions, which are `normalized_shape`.

    Ba et al. (2016). RuntimeError where shapes or dtypes do not fit.

    >>> import fastgrad as torch
    >>> torch.layer_norm(torch.tensor([1.0, 3.0]), (2,))
    tensor([-1.0000,  1.0000])
    """
    shape = tuple(normalized_shape) if isinstance(normalized_shape, list) else normalized_shape
    key = (input._meta, shape, _meta(weight), _meta(bias))
    sizes = _checked.get(key)
    if sizes is None:
        sizes = _shape_of(input, "layer_norm", shape, ", ", weight=weight, bias=bias)
        _check("LayerNormKernelImpl", input, weight, bias)
        _remember(key, sizes)
    return _row_norm("NativeLayerNorm", False, sizes, float(eps))(input, weight, bias)


def rms_norm(input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    """x / sqrt(mean(x**2) + eps) weight over the last dimensions; eps is by default the dtype's machine epsilon.

    Zhang and Sennrich (2019). RuntimeError where shapes do not fit.

    >>> import fastgrad as torch
    >>> torch.rms_norm(torch.tensor([3.0, 4.0]), (2,))
    tensor([0.8485, 1.1314])
    """
    shape = tuple(normalized_shape) if isinstance(normalized_shape, list) else normalized_shape
    key = (input._meta, shape, _meta(weight))
    sizes = _checked.get(key)
    if sizes is None:
        sizes = _remember(key, _shape_of(input, "rms_norm", shape, "", weight=weight))
        _check("rms_norm", input)
    if eps is None:
        eps = _dtype.finfo(input.dtype).eps  # type: ignore[attr-defined]
    mixed = weight is not None and weight.dtype is not input.dtype
    made: Tensor = _row_norm("Mul", True, sizes, float(eps))(input, None if mixed else weight, None)
    return made if weight is None or not mixed else made * weight


def _check_groups(x: Tensor, num_groups: int, weight: Tensor | None, bias: Tensor | None) -> tuple[int, int, int, int]:
    """The sizes of rows, which are the groups of each sample; errors with PyTorch's texts."""
    shape = x.shape
    if len(shape) < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {len(shape)}")
    channels = shape[1]
    if channels % num_groups:
        raise RuntimeError(
            f"Expected number of channels in input to be divisible by num_groups, but got input of shape {list(shape)} and "
            f"num_groups={num_groups}"
        )
    for word, tensor in (("weight", weight), ("bias", bias)):
        if tensor is not None and tensor.shape != (channels,):
            shown = list((tensor if word == "weight" or weight is None else weight).shape)
            raise RuntimeError(
                f"Expected {word} to be a vector of size equal to the number of channels in input, but got {word} of shape "
                f"{shown} and input of shape {list(shape)}"
            )
    _check("GroupNormKernelImpl", x, weight, bias)
    rows, inner = shape[0] * num_groups, x._numel // (shape[0] * channels or 1)
    return rows, channels // num_groups * inner, inner, num_groups


def group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-05,
    cudnn_enabled: bool = True,
) -> Tensor:
    """Layer norm of each of `num_groups` groups of channels of (N, C, *), with a scale and a shift for each channel.

    Wu and He (2018). RuntimeError where sizes or dtypes do not fit.

    >>> import fastgrad as torch
    >>> torch.group_norm(torch.tensor([[1.0, 3.0, 5.0, 7.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
    key = (input._meta, num_groups, _meta(weight), _meta(bias))
    sizes = _checked.get(key)
    if sizes is None:
        sizes = _remember(key, _check_groups(input, num_groups, weight, bias))
    return _row_norm("NativeGroupNorm", False, sizes, float(eps))(input, weight, bias)


# --- channels of a batch ------------------------------------------------------------------------------------------------


@op(name="NativeBatchNorm")
def _batch_norm(
    ctx: Any, x: Tensor, w: Tensor | None, b: Tensor | None, *, running: Any, batches: Any, training: bool, momentum: float,
    eps: float, sizes: Any,
) -> Tensor:  # fmt: skip
    ctx.save(x, w)
    ctx.extra = training, eps, sizes
    y, ctx.scratch = batch_launch.batch_norm(x, w, b, running, batches, training, momentum, eps, sizes)
    return y


@_batch_norm.derivative
def batch_norm_derivative(ctx: Any, gy: Tensor) -> Gradients:
    (x, w), (training, eps, sizes) = ctx.saved, ctx.extra
    need_x, need_w, need_b = ctx.needs
    gx: Tensor | None
    gw: Tensor | None
    gb: Tensor | None
    if state.enabled:
        column = (1, sizes[1], 1)
        moments = None if training else [reshape(m, column) for m in ctx.scratch]
        scale = None if w is None else reshape(w, column)
        found = _slopes(reshape(x, sizes), reshape(gy, sizes), scale, (0, 2), (0, 2), moments, False, eps)
        gx, gw, gb = reshape(found[0], x.shape), *found[1:]
    else:
        gx, gw, gb = batch_launch.batch_norm_backward(x, gy, w, ctx.scratch, training, sizes, need_x, need_w or need_b)
    return gx if need_x else None, gw if need_w else None, gb if need_b else None


def _check_channels(x: Tensor, training: bool, named: dict[str, Tensor | None]) -> tuple[int, int, int]:
    """The sizes of (rows, channels, inner); errors with PyTorch's texts."""
    shape = x.shape
    if len(shape) < 2:
        raise IndexError("Dimension out of range (expected to be in range of [-1, 0], but got 1)")
    channels = shape[1]
    for word, tensor in named.items():
        if tensor is None:
            if not training and word.startswith("running"):
                raise RuntimeError(f"{word} must be defined in evaluation mode")
        elif tensor._numel != channels:
            raise RuntimeError(f"{word} should contain {channels} elements not {tensor._numel}")
    _check("batch_norm", x, *named.values())
    return shape[0], channels, x._numel // (shape[0] * channels or 1)


def batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool = True,
    *,
    batches: Tensor | None = None,
) -> Tensor:
    """(x - mean) / sqrt(variance + eps) weight + bias for each channel of (N, C, *).

    Mean and variance are the batch's while training, which also moves the running ones, in place, by the share `momentum`
    (the variance without bias); else they are the running ones. `batches` counts batches; with it, a momentum below 0 makes
    the running statistics the mean over all of them. RuntimeError where sizes or dtypes do not fit.

    >>> import fastgrad as torch
    >>> torch.batch_norm(torch.tensor([[1.0], [3.0]]), None, None, None, None, True, 0.1, 1e-5, True).flatten()
    tensor([-1.0000,  1.0000])
    """
    key = (input._meta, _meta(weight), _meta(bias), _meta(running_mean), _meta(running_var), training)
    sizes = _checked.get(key)
    if sizes is None:
        named = {"running_mean": running_mean, "running_var": running_var, "weight": weight, "bias": bias}
        sizes = _remember(key, _check_channels(input, training, named))
    if training and eps <= 0:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    if not input._meta.numel:
        return input * 1
    running = None if running_mean is None or running_var is None else (running_mean, running_var)
    y: Tensor = _batch_norm(
        input, weight, bias, running=running, batches=batches, training=training, momentum=float(momentum), eps=float(eps),
        sizes=sizes,
    )  # fmt: skip
    if training:
        for changed in (running_mean, running_var, batches):
            if changed is not None:
                changed._bump()
    return y
