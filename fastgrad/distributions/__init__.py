"""Probability distributions, with PyTorch's names, checks and random numbers."""

from typing import NoReturn

from fastgrad._suggest import suggest
from fastgrad.distributions import constraints
from fastgrad.distributions.bernoulli import Bernoulli
from fastgrad.distributions.categorical import Categorical
from fastgrad.distributions.distribution import Distribution
from fastgrad.distributions.kl import kl_divergence
from fastgrad.distributions.normal import Normal
from fastgrad.distributions.uniform import Uniform

__all__ = ["Bernoulli", "Categorical", "Distribution", "Normal", "Uniform", "constraints", "kl_divergence"]


def __getattr__(name: str) -> NoReturn:
    raise suggest(__name__, name, __all__)
