"""Layers that normalise: `BatchNorm1d`, `LayerNorm`, `GroupNorm`, `RMSNorm`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastgrad import _dtype
from fastgrad._geometry import Size
from fastgrad._tensor import Tensor
from fastgrad.nn import _norms, init
from fastgrad.nn import functional as F
from fastgrad.nn.module import Module
from fastgrad.nn.parameter import Parameter
from fastgrad.ops import norm as ops
from fastgrad.ops.create import empty, ones, zeros

__all__ = ["BatchNorm1d", "GroupNorm", "LayerNorm", "RMSNorm"]


class _Affine(Module):
    """A layer with a scale `weight` and a shift `bias`, each of which may be missing."""

    weight: Parameter | None
    bias: Parameter | None

    def _make_parameters(self, shape: tuple[int, ...], weight: bool, bias: bool, device: Any, dtype: Any) -> None:
        for name, wanted in (("weight", weight), ("bias", bias)):
            made = Parameter(empty(*shape, device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, made)

    def reset_parameters(self) -> None:
        """Scale 1, shift 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)


class BatchNorm1d(_Affine):
    """Normalises each channel of (N, C) or (N, C, L) by the batch while training, else by running statistics.

    These move by the share `momentum` at each call while training; with None they are the mean over all batches so far.
    The running variance is the unbiased one. ValueError for another number of dimensions.

    >>> import fastgrad as torch
    >>> from fastgrad import nn
    >>> layer = nn.BatchNorm1d(1)
    >>> layer(torch.tensor([[1.0], [3.0]])).flatten()
    tensor([-1.0000,  1.0000], grad_fn=<ViewBackward0>)
    >>> layer.running_mean, layer.num_batches_tracked
    (tensor([0.2000]), tensor(1))
    """

    _version = 2
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self._make_parameters((num_features,), affine, affine and bias, device, dtype)
        tracked = track_running_stats
        self.register_buffer("running_mean", zeros(num_features, device=device, dtype=dtype) if tracked else None)
        self.register_buffer("running_var", ones(num_features, device=device, dtype=dtype) if tracked else None)
        self.register_buffer("num_batches_tracked", zeros((), dtype=_dtype.int64) if tracked else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Running mean 0, running variance 1, no batches."""
        for buffer, value in ((self.running_mean, 0), (self.running_var, 1), (self.num_batches_tracked, 0)):
            if buffer is not None:
                buffer.fill_(value)

    def reset_parameters(self) -> None:
        """Scale 1, shift 0, and no statistics."""
        self.reset_running_stats()
        super().reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        shape = input.shape
        if len(shape) not in (2, 3):
            raise ValueError(f"expected 2D or 3D input (got {len(shape)}D input)")
        mean, variance, batches = self.running_mean, self.running_var, None
        training = self.training or (mean is None and variance is None)
        if self.training:
            batches = self.num_batches_tracked if self.track_running_stats else None
            if not self.track_running_stats:
                mean = variance = None
        if training:
            _norms._needs_several(shape, shape[0] * (shape[2] if len(shape) == 3 else 1))
        # Below 0: the share of a batch is 1 / the number of batches, which the kernel reads where it counts them.
        momentum = -1.0 if self.momentum is None and batches is not None else self.momentum or 0.0
        return ops.batch_norm(
            input, self.weight, self.bias, mean, variance, training, momentum, self.eps, batches=batches
        )

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any], *rest: Any
    ) -> None:
        count = f"{prefix}num_batches_tracked"
        # Checkpoints of version 1 did not count batches.
        if self.track_running_stats and (local_metadata.get("version") or 1) < 2 and count not in state_dict:
            kept = self.num_batches_tracked
            state_dict[count] = zeros((), dtype=_dtype.int64) if kept is None else kept
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )


def _shape(normalized_shape: int | Iterable[int]) -> Size:
    return Size(normalized_shape if isinstance(normalized_shape, Iterable) else (normalized_shape,))


class LayerNorm(_Affine):
    """Normalises over the last dimensions, `normalized_shape`: mean 0, variance 1, then scale and shift.

    >>> import fastgrad as torch
    >>> from fastgrad import nn
    >>> nn.LayerNorm(2, elementwise_affine=False)(torch.tensor([1.0, 3.0]))
    tensor([-1.0000,  1.0000])
    """

    def __init__(
        self,
        normalized_shape: int | Iterable[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = tuple(_shape(normalized_shape))
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        affine = elementwise_affine
        self._make_parameters(self.normalized_shape, affine, affine and bias, device, dtype)
        self.reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )


class RMSNorm(_Affine):
    """Divides by the root of the mean square over the last dimensions, then scales.

    >>> import fastgrad as torch
    >>> from fastgrad import nn
    >>> nn.RMSNorm(2, elementwise_affine=False)(torch.tensor([3.0, 4.0]))
    tensor([0.8485, 1.1314])
    """

    def __init__(
        self,
        normalized_shape: int | Iterable[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = tuple(_shape(normalized_shape))
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        made = Parameter(empty(*self.normalized_shape, device=device, dtype=dtype)) if elementwise_affine else None
        self.register_parameter("weight", made)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Scale 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(_Affine):
    """Layer norm of each of `num_groups` groups of the channels of (N, C, *), then a scale and shift for each channel.

    ValueError where the groups do not divide the channels.

    >>> import fastgrad as torch
    >>> from fastgrad import nn
    >>> nn.GroupNorm(2, 4, affine=False)(torch.tensor([[1.0, 3.0, 5.0, 7.0]]))
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        self._make_parameters((num_channels,), affine, affine and bias, device, dtype)
        self.reset_parameters()

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )
