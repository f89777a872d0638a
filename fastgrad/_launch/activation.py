"""Activation functions and their derivatives on float tensors; the kernels stand in `kernels/cpu/activation.py`.

Parameters (a slope, an alpha) are Python floats.
"""

from __future__ import annotations

from .core import binary, binary_scalars, unary, unary_scalars

relu = unary("activation.relu")
relu_backward = binary("activation.relu_backward")
sigmoid = unary("activation.sigmoid")
sigmoid_backward = binary("activation.sigmoid_backward")
tanh = unary("activation.tanh")
tanh_backward = binary("activation.tanh_backward")
gelu = unary("activation.gelu")
gelu_backward = binary("activation.gelu_backward")
gelu_tanh = unary("activation.gelu_tanh")
gelu_tanh_backward = binary("activation.gelu_tanh_backward")
silu = unary("activation.silu")
silu_backward = binary("activation.silu_backward")
leaky_relu = unary_scalars("activation.leaky_relu")
leaky_relu_backward = binary_scalars("activation.leaky_relu_backward")
elu = unary_scalars("activation.elu")
elu_backward = binary_scalars("activation.elu_backward")
softplus = unary_scalars("activation.softplus")
softplus_backward = binary_scalars("activation.softplus_backward")
log_sigmoid = unary("activation.log_sigmoid")
log_sigmoid_backward = binary("activation.log_sigmoid_backward")
mish = unary("activation.mish")
mish_backward = binary("activation.mish_backward")
softsign = unary("activation.softsign")
softsign_backward = binary("activation.softsign_backward")
tanhshrink = unary("activation.tanhshrink")
tanhshrink_backward = binary("activation.tanhshrink_backward")
