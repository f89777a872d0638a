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


def adagrad(values, gradient, sums, step, lr, lr_decay, eps, weight_decay, maximize):
    """Duchi, Hazan and Singer (2011)."""
    gradient = _descent(values, gradient, weight_decay, maximize)
    sums += gradient**2
    values -= lr / (1 + (step - 1) * lr_decay) * gradient / (np.sqrt(sums) + eps)


def adadelta(values, gradient, squares, moves, step, lr, rho, eps, weight_decay, maximize):
    """Zeiler (2012): steps in the unit of the steps before."""
    gradient = _descent(values, gradient, weight_decay, maximize)
    squares[...] = rho * squares + (1 - rho) * gradient**2
    move = np.sqrt((moves + eps) / (squares + eps)) * gradient
    moves[...] = rho * moves + (1 - rho) * move**2
    values -= lr * move


def adamax(values, gradient, average, norms, step, lr, beta1, beta2, eps, weight_decay, maximize):
    """Kingma and Ba (2015), section 7.1: Adam with the largest size in place of the mean square."""
    gradient = _descent(values, gradient, weight_decay, maximize)
    average += (1 - beta1) * (gradient - average)
    norms[...] = np.maximum(beta2 * norms, np.abs(gradient) + eps)
    values -= lr / (1 - beta1**step) * average / norms


def nadam(
    values,
    gradient,
    average,
    squares,
    product,
    step,
    lr,
    beta1,
    beta2,
    eps,
    weight_decay,
    momentum_decay,
    decoupled,
    maximize,
):
    """Dozat (2016): Adam that looks ahead along its momentum. `product` has this step's momentum in it."""
    if decoupled:
        values *= 1 - lr * weight_decay
    gradient = _descent(values, gradient, 0 if decoupled else weight_decay, maximize)
    average += (1 - beta1) * (gradient - average)
    squares[...] = beta2 * squares + (1 - beta2) * gradient**2
    scale = np.sqrt(squares / (1 - beta2**step)) + eps
    momentum, following = (beta1 * (1 - 0.5 * 0.96 ** (k * momentum_decay)) for k in (step, step + 1))
    values -= lr * (1 - momentum) / (1 - product) * gradient / scale
    values -= lr * following / (1 - product * following) * average / scale


def radam(
    values, gradient, average, squares, step, lr, beta1, beta2, eps, weight_decay, decoupled, maximize
):
    """Liu et al. (2020): Adam without its scale while too few squares are known, then with a rectified one."""
    if decoupled:
        values *= 1 - lr * weight_decay
    gradient = _descent(values, gradient, 0 if decoupled else weight_decay, maximize)
    average += (1 - beta1) * (gradient - average)
    squares[...] = beta2 * squares + (1 - beta2) * gradient**2
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * step * beta2**step / (1 - beta2**step)
    scale = 1
    if length > 5:
        ratio = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
        scale = np.sqrt(ratio * (1 - beta2**step)) / (np.sqrt(squares) + eps)
    values -= lr * average / (1 - beta1**step) * scale


def _descent(values, gradient, weight_decay, maximize):
    gradient = -gradient if maximize else gradient
    return gradient + weight_decay * values if weight_decay else gradient
