"""Decompositions of matrices, by NumPy's LAPACK."""

from __future__ import annotations

import numpy as np

from .._recording import host
from .._tensor import Tensor
from . import arrays


@host
def orthonormal(x: Tensor) -> Tensor:
    """A matrix of the shape of x with orthonormal rows or columns, whichever are fewer: Q of x = QR, its columns turned so
    that R's diagonal is positive, which makes it uniform where x is normal. Mezzadri (2007)."""
    array = x._array()
    wide = array.shape[0] < array.shape[1]
    q, r = np.linalg.qr(array.T if wide else array)
    q = q * np.sign(np.diag(r))
    return arrays.new(q.T if wide else q)
