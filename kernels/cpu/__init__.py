"""CPU kernels: numba rows, one file for each family."""
