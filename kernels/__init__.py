"""fastgrad.kernels: loops over memory, for each device, under one set of names.

Nothing here knows a Tensor. `jit` declares and compiles, `store` keeps machine code on disk, `launcher` is the call from
Python into a compiled row, `pool` the threads; `cpu`, `cuda` and `reference` hold the kernels themselves.
"""
