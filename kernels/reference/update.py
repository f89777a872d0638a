"""Optimizer updates in NumPy, one parameter at a time, in place: what the kernels of these names compute."""

import numpy as np


def sgd(values, gradient, buffer, starts, lr, momentum, dampening, weight_decay, nesterov, maximize):
    """Sutskever et al. (2013) in PyTorch's form: the momentum buffer starts as the first gradient."""
    gradient = _descent(values, gradient, weight_decay, maximize)
    if momentum:
        buffer[...] = gradient if starts else momentum * buffer + (1 - dampening) * gradient
        gradient = gradient + momentum * buffer if nesterov else buffer
    values -= lr * gradient


def adam(
    values,
    gradient,
    average,
    squares,
    largest,
    step,
    lr,
    beta1,
    beta2,
    eps,
    weight_decay,
    decoupled,
    amsgrad,
    maximize,
):
    """Kingma and Ba (2015); decoupled decay: Loshchilov and Hutter (2019), amsgrad: Reddi et al. (2018)."""
    if decoupled:
        values *= 1 - lr * weight_decay
    gradient = _descent(values, gradient, 0 if decoupled else weight_decay, maximize)
    average += (1 - beta1) * (gradient - average)
    squares[...] = beta2 * squares + (1 - beta2) * gradient**2
    if amsgrad:
        np.maximum(largest, squares, out=largest)
    scale = np.sqrt((largest if amsgrad else squares) / (1 - beta2**step)) + eps
    values -= lr / (1 - beta1**step) * average / scale


def rmsprop(
    values, gradient, squares, buffer, average, lr, alpha, eps, weight_decay, momentum, centered, maximize
):
    """Tieleman and Hinton (2012); centered as in Graves (2013)."""
    gradient = _descent(values, gradient, weight_decay, maximize)
    squares[...] = alpha * squares + (1 - alpha) * gradient**2
    variance = squares
    if centered:
        average += (1 - alpha) * (gradient - average)
        variance = squares - average**2
    gradient = gradient / (np.sqrt(variance) + eps)
    if momentum:
        buffer[...] = momentum * buffer + gradient
        gradient = buffer
    values -= lr * gradient


def _descent(values, gradient, weight_decay, maximize):
    gradient = -gradient if maximize else gradient
    return gradient + weight_decay * values if weight_decay else gradient
