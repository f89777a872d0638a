"""Optimizer updates: all parameters of a model in one call.

What an update needs stands in three blocks of int64, made by `fastgrad.optim`:

    table      one row of WIDTH words for each parameter: the addresses of its values, of its hyper-parameters
    (float64, in the order of each kernel's first line), of its step count (float64), of its state, and a flag
    gradients  one address for each parameter; 0 where there is no gradient, and then nothing is touched
    chunks     (row, first, last): elements [first, last) of a row; the task of these kernels is a chunk

The arithmetic is PyTorch's, operation by operation and rounding by rounding, in the parameter's own float
type; only what is computed once for a whole tensor is float64. A flag is a hyper-parameter that is 0 or 1.
What depends on the step count (bias corrections, rectification, decayed rates) is computed here from the count, so
that a launch that is made again needs nothing but a new count in its place.
"""

import numpy as np
from fastgrad.kernels import math as m
from fastgrad.kernels.jit import at, helper, kernel, pointer
from fastgrad.kernels.math import fma, formula, lit, select, sqrt
from fastgrad.kernels.pointers import load, store

WIDTH = 8
PARAMETER, SLOTS, STEP, STARTS, STATE = 0, 1, 2, 3, 4  # STATE and the two words after it


@formula
def descent(gradient, sign, decays, decay, value):
    """The gradient to follow: turned around to maximize, with the pull of L2 decay towards zero."""
    gradient = sign * gradient
    return select(decays, fma(decay, value, gradient), gradient)


@formula
def _blend(old, new, weight):
    """old + weight * (new - old), with the rounding of `torch.lerp`, which starts from the nearer end."""
    small = weight < 0.5
    return fma(select(small, weight, weight - 1.0), new - old, select(small, old, new))


@formula
def _decay_squares(squares, gradient, keep, take):
    """A running average of squares: keep * squares + take * gradient^2."""
    return fma(take * gradient, gradient, keep * squares)


def update(function):
    """Declare an update by what it does to elements [first, last) of one row: a kernel that does so for its chunks."""
    one = helper(function)

    def update_chunks(table, gradients, chunks, F, lo, hi):
        for chunk in range(lo, hi):
            number, first, last = chunks[3 * chunk], chunks[3 * chunk + 1], chunks[3 * chunk + 2]
            if gradients[number] != 0:
                row = at(table, WIDTH * number)
                values, gradient = pointer(row[PARAMETER], F), pointer(gradients[number], F)
                one(row, values, gradient, pointer(row[SLOTS], np.float64), first, last, F)

    update_chunks.__name__, update_chunks.__doc__ = function.__name__, function.__doc__
    return kernel("i64* table, i64* gradients, i64* chunks, type F")(update_chunks)


@update
def sgd(row, values, gradient, slots, first, last, F):
    """lr, momentum, dampening, weight_decay, nesterov, maximize; state: momentum buffer (absent when momentum
    is 0).
    """
    rate, momentum = lit(-slots[0], values), lit(slots[1], values)
    take, decay = lit(1.0 - slots[2], values), lit(slots[3], values)
    nesterov, sign = slots[4] != 0.0, lit(1.0 - 2.0 * slots[5], values)
    decays, starts = slots[3] != 0.0, row[STARTS] != 0
    if slots[1] == 0.0:
        for i in range(first, last):
            x = load(values, i)
            store(values, i, fma(rate, descent(load(gradient, i), sign, decays, decay, x), x))
    else:
        buffer = pointer(row[STATE], F)
        for i in range(first, last):
            x = load(values, i)
            g = descent(load(gradient, i), sign, decays, decay, x)
            velocity = select(starts, g, fma(take, g, momentum * load(buffer, i)))
            store(buffer, i, velocity)
            store(values, i, fma(rate, select(nesterov, fma(momentum, velocity, g), velocity), x))


@update
def adam(row, values, gradient, slots, first, last, F):
    """lr, beta1, beta2, eps, weight_decay, decoupled, amsgrad, maximize; state: exp_avg, exp_avg_sq,
    max_exp_avg_sq.
    """
    averages, squares = pointer(row[STATE], F), pointer(row[STATE + 1], F)
    step = pointer(row[STEP], np.float64)[0]
    decoupled = slots[5] != 0.0
    decays, decay = slots[4] != 0.0 and not decoupled, lit(slots[4], values)
    shrink = lit(1.0 - slots[0] * slots[4] * slots[5], values)
    sign, eps = lit(1.0 - 2.0 * slots[7], values), lit(slots[3], values)
    take1, keep2, take2 = lit(1.0 - slots[1], values), lit(slots[2], values), lit(1.0 - slots[2], values)
    rate = lit(-(slots[0] / (1.0 - slots[1] ** step)), values)
    correction = lit(sqrt(1.0 - slots[2] ** step), values)
    amsgrad = slots[6] != 0.0
    largest = pointer(row[STATE + 2], F)
    for i in range(first, last):
        x = shrink * load(values, i)
        g = descent(load(gradient, i), sign, decays, decay, x)
        average = _blend(load(averages, i), g, take1)
        square = _decay_squares(load(squares, i), g, keep2, take2)
        store(averages, i, average)
        store(squares, i, square)
        if amsgrad:
            square = m.maximum(load(largest, i), square)
            store(largest, i, square)
        store(values, i, x + rate * average / (sqrt(square) / correction + eps))


@update
def rmsprop(row, values, gradient, slots, first, last, F):
    """lr, alpha, eps, weight_decay, momentum, centered, maximize; state: square_avg, momentum_buffer,
    grad_avg.
    """
    squares, buffer = pointer(row[STATE], F), pointer(row[STATE + 1], F)
    averages = pointer(row[STATE + 2], F)
    rate, eps = lit(-slots[0], values), lit(slots[2], values)
    keep, take = lit(slots[1], values), lit(1.0 - slots[1], values)
    decays, decay = slots[3] != 0.0, lit(slots[3], values)
    has_momentum, momentum = slots[4] > 0.0, lit(slots[4], values)
    centered, sign = slots[5] != 0.0, lit(1.0 - 2.0 * slots[6], values)
    for i in range(first, last):
        x = load(values, i)
        g = descent(load(gradient, i), sign, decays, decay, x)
        square = _decay_squares(load(squares, i), g, keep, take)
        store(squares, i, square)
        if centered:
            average = _blend(load(averages, i), g, take)
            store(averages, i, average)
            square = fma(-average, average, square)
        scale = sqrt(square) + eps
        if has_momentum:
            velocity = momentum * load(buffer, i) + g / scale
            store(buffer, i, velocity)
            store(values, i, fma(rate, velocity, x))
        else:
            store(values, i, x + rate * g / scale)


@update
def adagrad(row, values, gradient, slots, first, last, F):
    """lr, lr_decay, eps, weight_decay, maximize; state: sum."""
    sums = pointer(row[STATE], F)
    step = pointer(row[STEP], np.float64)[0]
    rate, eps = lit(-(slots[0] / (1.0 + (step - 1.0) * slots[1])), values), lit(slots[2], values)
    decays, decay, sign = slots[3] != 0.0, lit(slots[3], values), lit(1.0 - 2.0 * slots[4], values)
    for i in range(first, last):
        x = load(values, i)
        g = descent(load(gradient, i), sign, decays, decay, x)
        total = fma(g, g, load(sums, i))
        store(sums, i, total)
        store(values, i, x + rate * g / (sqrt(total) + eps))


@update
def adadelta(row, values, gradient, slots, first, last, F):
    """lr, rho, eps, weight_decay, maximize; state: square_avg, acc_delta."""
    squares, moves = pointer(row[STATE], F), pointer(row[STATE + 1], F)
    rate, eps = lit(-slots[0], values), lit(slots[2], values)
    keep, take = lit(slots[1], values), lit(1.0 - slots[1], values)
    decays, decay, sign = slots[3] != 0.0, lit(slots[3], values), lit(1.0 - 2.0 * slots[4], values)
    for i in range(first, last):
        x = load(values, i)
        g = descent(load(gradient, i), sign, decays, decay, x)
        square = _decay_squares(load(squares, i), g, keep, take)
        moved = load(moves, i)
        move = sqrt(moved + eps) / sqrt(square + eps) * g
        store(squares, i, square)
        store(moves, i, _decay_squares(moved, move, keep, take))
        store(values, i, fma(rate, move, x))


@update
def adamax(row, values, gradient, slots, first, last, F):
    """lr, beta1, beta2, eps, weight_decay, maximize; state: exp_avg, exp_inf."""
    averages, norms = pointer(row[STATE], F), pointer(row[STATE + 1], F)
    step = pointer(row[STEP], np.float64)[0]
    rate, eps = lit(-(slots[0] / (1.0 - slots[1] ** step)), values), lit(slots[3], values)
    take1, keep2 = lit(1.0 - slots[1], values), lit(slots[2], values)
    decays, decay, sign = slots[4] != 0.0, lit(slots[4], values), lit(1.0 - 2.0 * slots[5], values)
    for i in range(first, last):
        x = load(values, i)
        g = descent(load(gradient, i), sign, decays, decay, x)
        average = _blend(load(averages, i), g, take1)
        norm = m.maximum(keep2 * load(norms, i), m.copysign(g, lit(1.0, values)) + eps)
        store(averages, i, average)
        store(norms, i, norm)
        store(values, i, x + rate * average / norm)


@update
def nadam(row, values, gradient, slots, first, last, F):
    """lr, beta1, beta2, eps, weight_decay, momentum_decay, decoupled, maximize; state: exp_avg, exp_avg_sq, and
    the product of the momenta so far, this step's among them (one float64).
    """
    averages, squares = pointer(row[STATE], F), pointer(row[STATE + 1], F)
    step, product = pointer(row[STEP], np.float64)[0], pointer(row[STATE + 2], np.float64)[0]
    decays, decay = slots[4] != 0.0 and slots[6] == 0.0, lit(slots[4], values)
    shrink = lit(1.0 - slots[0] * slots[4] * slots[6], values)
    sign, eps = lit(1.0 - 2.0 * slots[7], values), lit(slots[3], values)
    take1, keep2, take2 = lit(1.0 - slots[1], values), lit(slots[2], values), lit(1.0 - slots[2], values)
    correction = lit(1.0 - slots[2] ** step, values)
    momentum = slots[1] * (1.0 - 0.5 * 0.96 ** (step * slots[5]))
    following = slots[1] * (1.0 - 0.5 * 0.96 ** ((step + 1.0) * slots[5]))
    rate = lit(-slots[0] * (1.0 - momentum) / (1.0 - product), values)
    ahead = lit(-slots[0] * following / (1.0 - product * following), values)
    for i in range(first, last):
        x = shrink * load(values, i)
        g = descent(load(gradient, i), sign, decays, decay, x)
        average = _blend(load(averages, i), g, take1)
        square = _decay_squares(load(squares, i), g, keep2, take2)
        store(averages, i, average)
        store(squares, i, square)
        scale = sqrt(square / correction) + eps
        store(values, i, (x + rate * g / scale) + ahead * average / scale)


@update
def radam(row, values, gradient, slots, first, last, F):
    """lr, beta1, beta2, eps, weight_decay, decoupled, maximize; state: exp_avg, exp_avg_sq."""
    averages, squares = pointer(row[STATE], F), pointer(row[STATE + 1], F)
    step = pointer(row[STEP], np.float64)[0]
    decays, decay = slots[4] != 0.0 and slots[5] == 0.0, lit(slots[4], values)
    shrink = lit(1.0 - slots[0] * slots[4] * slots[5], values)
    sign, eps, rate = lit(1.0 - 2.0 * slots[6], values), lit(slots[3], values), lit(slots[0], values)
    take1, keep2, take2 = lit(1.0 - slots[1], values), lit(slots[2], values), lit(1.0 - slots[2], values)
    correction1, correction2 = 1.0 - slots[1] ** step, 1.0 - slots[2] ** step
    # How many squares the average is worth: at most `longest`, now `length`; with few its variance has no bound.
    longest = 2.0 / (1.0 - slots[2]) - 1.0
    length = longest - 2.0 * step * (slots[2] ** step) / correction2
    rectified = length > 5.0
    ratio = (length - 4.0) * (length - 2.0) * longest / ((longest - 4.0) * (longest - 2.0) * length)
    rectification = lit(sqrt(select(rectified, ratio, 1.0)), values)
    bias, spread = lit(correction1, values), lit(sqrt(correction2), values)
    for i in range(first, last):
        x = shrink * load(values, i)
        g = descent(load(gradient, i), sign, decays, decay, x)
        average = _blend(load(averages, i), g, take1)
        square = _decay_squares(load(squares, i), g, keep2, take2)
        store(averages, i, average)
        store(squares, i, square)
        move = average / bias * rate
        adapted = move * (lit(1.0, values) / (sqrt(square) + eps) * spread) * rectification
        store(values, i, x - select(rectified, adapted, move))
