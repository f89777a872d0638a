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


@host
def svd(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """U (..., m, k), S (..., k) and V transposed (..., k, n) of matrices (..., m, n) = U S V^T, k = min(m, n)."""
    array = x._array()
    if not np.isfinite(array).all():
        raise RuntimeError(
            "linalg.svd: The algorithm failed to converge because the input matrix contained non-finite values."
        )
    u, s, vh = np.linalg.svd(array, full_matrices=False)
    return arrays.new(u), arrays.new(s), arrays.new(vh)
