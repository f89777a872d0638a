"""The functions behind the layers, with PyTorch's names and arguments: usually imported as `F`."""

from __future__ import annotations

from typing import NoReturn

from fastgrad._suggest import suggest
from fastgrad.nn import _activations, _composed, _dropouts, _losses, _margins, _norms
from fastgrad.nn._activations import *  # noqa: F403
from fastgrad.nn._composed import *  # noqa: F403
from fastgrad.nn._dropouts import *  # noqa: F403
from fastgrad.nn._losses import *  # noqa: F403
from fastgrad.nn._margins import *  # noqa: F403
from fastgrad.nn._norms import *  # noqa: F403
from fastgrad.nn.sparse import embedding
from fastgrad.ops.bilinear import bilinear
from fastgrad.ops.linear import linear
from fastgrad.ops.masks import one_hot

__all__ = [
    "bilinear", "embedding", "linear", "one_hot", *_activations.__all__, *_composed.__all__, *_dropouts.__all__,
    *_losses.__all__, *_margins.__all__, *_norms.__all__]


def __getattr__(name: str) -> NoReturn:
    raise suggest(__name__, name, __all__)
