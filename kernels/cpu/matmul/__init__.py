"""The matrix engine: products of matrices of any strides. Begin with `plan.py`, whose functions are what the rest calls.

                      n columns                  out (m, n) = A (m, k) @ B (k, n)
                  +-------+-------+
              k   |       |micro- |              block   the part of `out` that a task makes: block_m x block_n
            steps |   B   | panel |  panel of k  strip   the rows of a block that one tile is high, across all its columns
                  |       |packed |              tile    rows x vectors of `out` that registers hold while k goes by
                  +-------+-------+              panel   the steps of k (at most PANEL) of one chain of multiply-adds;
     k steps          |       |                          panels are summed from first to last, and decide the bits
    +--------+    +---+-------+---+              micro-panel   a panel's rows of B, one tile wide, packed one behind
m   |   A    |    |   .  tile .   | strip                another, so that the tile reads them in a line
rows+- - - - +    +- - - - - - - -+              part    where a block's sums wait between panels, if not in `out`
    +--------+    +-------- out --+

`blocks.py` has the sizes, `micro.py` the tile, `pack.py` the packing, `turn.py` a vector's product with lines along k,
`product.py` the loops around them, `scratch.py` and `slots.py` their memory, `library.py` what compiles and keeps it all.
`bfloat*.py` are the same for pairs of bfloat16, `precision.py` chooses. benchmarks/matmul/README.md has the measurements.
"""
