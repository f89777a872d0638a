"""The matrix engine: products of float32 and float64 matrices of any strides. `gemm` is all that the rest needs."""
