"""The matrix engine: products of matrices of any strides. `plan.gemm` is all that the rest calls."""
