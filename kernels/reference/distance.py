"""Distance and cosine of rows in NumPy: what the kernels of the same names compute."""

import numpy as np


def distance(out, a, b, n, eps):
    out[...] = np.sqrt(((a - b + eps) ** 2).sum(1))


def distance_backward(gradient, a, b, y, gy, n, eps):
    with np.errstate(all="ignore"):
        gradient[...] = np.where(y == 0, 0, gy / y)[:, None] * (a - b + eps)


def cosine(out, factors, a, b, n, inside, eps):
    product, first, second = (a * b).sum(1), (a * a).sum(1), (b * b).sum(1)
    with np.errstate(all="ignore"):
        if inside:
            share = 1 / np.sqrt((first + eps) * (second + eps))
            steep = product * share / (first + eps), product * share / (second + eps)
        else:
            lengths = np.sqrt(first), np.sqrt(second)
            held = [np.maximum(length, eps) for length in lengths]
            share = 1 / (held[0] * held[1])
            steep = [np.where(x == 0, 0, product * share / (h * x)) for x, h in zip(lengths, held)]
    out[...] = product * share
    factors[...] = np.stack([share, *steep], 1)


def cosine_backward(gradient, a, b, factors, gy, n, which):
    gradient[...] = gy[:, None] * (factors[:, :1] * b - factors[:, which : which + 1] * a)
