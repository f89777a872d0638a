"""Batch norm in NumPy: what the kernels of the same names compute. x is (rows, channels, inner)."""

import numpy as np

SCALED, SHIFTED, TRAINING, TRACKED, COUNTED, SLOPE, SCALE_SLOPE = 1, 2, 4, 8, 16, 32, 64


def _blocks(x, block):
    return [x[i : i + block] for i in range(0, len(x), block)]


def _column(v):
    return v[None, :, None]


def moments(means, spreads, x, rows, channels, inner, block):
    for k, part in enumerate(_blocks(x, block)):
        means[k] = part.mean((0, 2))
        spreads[k] = ((part - _column(means[k])) ** 2).sum((0, 2))


def statistics(mean, rstd, means, spreads, running, variance, batches, rows, channels, inner, block, flags, eps, momentum):
    if flags & COUNTED:
        batches[0] += 1
        if momentum < 0:
            momentum = 1 / batches[0]
    if not flags & TRAINING:
        mean[...], rstd[...] = running, 1 / np.sqrt(variance + eps)
        return
    sizes = np.diff([*range(0, rows, block), rows])[:, None] * inner
    count = rows * inner
    centre = (means * sizes).sum(0) / count
    total = (spreads + sizes * (means - centre) ** 2).sum(0)
    mean[...], rstd[...] = centre, 1 / np.sqrt(total / count + eps)
    if flags & TRACKED:
        running[...] = momentum * centre + (1 - momentum) * running
        variance[...] = momentum * total / (count - 1) + (1 - momentum) * variance


def apply(out, x, mean, rstd, w, b, channels, inner, flags):
    y = (x - _column(mean)) * _column(rstd)
    if flags & SCALED:
        y = y * _column(w)
    if flags & SHIFTED:
        y = y + _column(b)
    out[...] = y


def forward(
    out, x, w, b, mean, rstd, means, spreads, running, variance, batches, rows, channels, inner, block, flags, eps, momentum
):
    if flags & TRAINING:
        moments(means, spreads, x, rows, channels, inner, block)
    statistics(mean, rstd, means, spreads, running, variance, batches, rows, channels, inner, block, flags, eps, momentum)
    apply(out, x, mean, rstd, w, b, channels, inner, flags)


def slopes(gw, gb, x, gy, mean, rstd, rows, channels, inner, block):
    xhat = (x - _column(mean)) * _column(rstd)
    for k, (part, slope) in enumerate(zip(_blocks(xhat, block), _blocks(gy, block))):
        gw[k], gb[k] = (part * slope).sum((0, 2)), slope.sum((0, 2))


def apply_backward(gx, x, gy, mean, rstd, w, gw, gb, rows, channels, inner, flags):
    made = gy
    if flags & TRAINING:
        xhat = (x - _column(mean)) * _column(rstd)
        made = gy - (_column(gb) + xhat * _column(gw)) / (rows * inner)
    gx[...] = made * _column(rstd * w if flags & SCALED else rstd)


def backward(gx, gw, gb, x, gy, mean, rstd, w, rows, channels, inner, flags):
    if flags & (TRAINING | SCALE_SLOPE):
        slopes(gw[None], gb[None], x, gy, mean, rstd, rows, channels, inner, rows)
    if flags & SLOPE:
        apply_backward(gx, x, gy, mean, rstd, w, gw, gb, rows, channels, inner, flags)
