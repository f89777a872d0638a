"""SGD with all its options, over a table of parameters, against the reference."""

import numpy as np
import pytest
from fastgrad.kernels.cpu.update import PARAMETER, SLOTS, STARTS, STATE, WIDTH
from fastgrad.kernels.reference import update

OPTIONS = [
    {"lr": 0.1},
    {"lr": 0.1, "momentum": 0.9, "dampening": 0.3},
    {"lr": 0.1, "momentum": 0.9, "nesterov": 1, "weight_decay": 0.01},
    {"lr": 0.1, "weight_decay": 0.1, "maximize": 1},
]
NAMES = ("lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize")


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sgd(device, generator, options, dtype):
    slots = [float(options.get(name, 0)) for name in NAMES]
    sizes = (5, 23, 4)  # the last has no gradient
    values, gradients, buffers = ([generator.normal(size=n).astype(dtype) for n in sizes] for _ in range(3))
    expected = [v.copy() for v in values]
    states = [b.copy() for b in buffers]
    on_device = [[device.put(a) for a in arrays] for arrays in (values, gradients, buffers)]
    numbers = device.put(np.array(slots))
    for step in range(2):
        table = np.zeros((3, WIDTH), np.int64)
        for k in range(3):
            value, _, buffer = (column[k].address for column in on_device)
            table[k, [PARAMETER, SLOTS, STARTS, STATE]] = value, numbers.address, step == 0, buffer
        words = device.put(table)
        addresses = device.put(np.array([on_device[1][0].address, on_device[1][1].address, 0]))
        chunks = device.put(np.array([[0, 0, 5], [1, 0, 20], [1, 20, 23], [2, 0, 4]]))
        row = device.row("update.sgd", np.dtype(dtype).name)
        device.launch(row, 4, 1, words.address, addresses.address, chunks.address)
        device.synchronize()  # before the table goes
        for k in range(2):
            update.sgd(expected[k], gradients[k], states[k], step == 0, *slots)
    for k, n in enumerate(sizes):
        got = on_device[0][k].read(n, dtype), on_device[2][k].read(n, dtype)
        np.testing.assert_allclose(got[0], expected[k], rtol=8 * np.finfo(dtype).eps)
        np.testing.assert_allclose(got[1], states[k], rtol=8 * np.finfo(dtype).eps)
