"""The chain rule on two layers of one weight each: dy2/dw1 = dy2/dy1 * dy1/dw1."""

import fastgrad as torch
from fastgrad import autograd


def main():
    x = torch.tensor(1.0)
    w1 = torch.tensor(2.0, requires_grad=True)
    b1 = torch.tensor(1.0)
    w2 = torch.tensor(2.0, requires_grad=True)
    b2 = torch.tensor(1.0)

    y1 = x * w1 + b1
    y2 = y1 * w2 + b2

    (dy2_dy1,) = autograd.grad(y2, [y1], retain_graph=True)
    (dy1_dw1,) = autograd.grad(y1, [w1], retain_graph=True)
    (dy2_dw1,) = autograd.grad(y2, [w1])

    print(f"dy2/dy1 = {dy2_dy1}, dy1/dw1 = {dy1_dw1}")
    print(f"their product = {dy2_dy1 * dy1_dw1}, dy2/dw1 = {dy2_dw1}")
    return {"dy2_dy1": dy2_dy1, "dy1_dw1": dy1_dw1, "product": dy2_dy1 * dy1_dw1, "dy2_dw1": dy2_dw1}


if __name__ == "__main__":
    main()
