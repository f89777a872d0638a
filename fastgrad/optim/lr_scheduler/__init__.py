"""Schedulers: learning rates (and momenta) that change as training goes on, with PyTorch's names and numbers.

    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=30)
    for epoch in range(100):
        train(...)          # calls optimizer.step()
        scheduler.step()
"""

from typing import NoReturn

from fastgrad._suggest import suggest
from fastgrad.optim.lr_scheduler.base import LRScheduler
from fastgrad.optim.lr_scheduler.combine import ChainedScheduler, SequentialLR
from fastgrad.optim.lr_scheduler.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from fastgrad.optim.lr_scheduler.cycle import CyclicLR, OneCycleLR
from fastgrad.optim.lr_scheduler.decay import (
    ConstantLR,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from fastgrad.optim.lr_scheduler.function import LambdaLR, MultiplicativeLR
from fastgrad.optim.lr_scheduler.plateau import ReduceLROnPlateau

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]


def __getattr__(name: str) -> NoReturn:
    raise suggest(__name__, name, __all__)
