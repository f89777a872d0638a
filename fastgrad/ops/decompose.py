"""Decompositions of matrices, which NumPy's LAPACK makes; not differentiable."""

from __future__ import annotations

from .._launch.decompose import orthonormal

__all__ = ["orthonormal"]
