"""A line through points: y = 3x + 0.8 found by 3,000 steps of gradient descent, and drawn.

Run it with a path for the picture: python 05_linear_regression.py line.png
"""

import sys

import fastgrad as torch


def draw(x, y, prediction, path):
    from matplotlib.figure import Figure

    figure = Figure()  # not pyplot: no window, no screen needed
    axes = figure.subplots()
    axes.scatter(x.data.numpy(), y.data.numpy(), label="data")
    axes.plot(x.data.numpy(), prediction.data.numpy(), color="red", label="fitted line")
    axes.legend()
    figure.savefig(path, format="png")


def main(path=None):
    torch.manual_seed(5)
    x = torch.rand([50])
    y = 3 * x + 0.8
    w = torch.rand(1, requires_grad=True)
    b = torch.rand(1, requires_grad=True)

    for step in range(3000):
        for i in (w, b):
            if i.grad is not None:
                i.grad.data.zero_()
        loss = (x * w + b - y).pow(2).mean()
        loss.backward()
        w.data -= 0.01 * w.grad.data
        b.data -= 0.01 * b.grad.data
        if step % 500 == 0:
            print(f"step {step:4}: loss {loss.item():.6f}, w {w.item():.4f}, b {b.item():.4f}")

    print(f"y = {w.item():.4f} x + {b.item():.4f}")
    if path:
        draw(x, y, x * w + b, path)
        print("drawn in", path)
    return {"w": w, "b": b, "loss": loss}


if __name__ == "__main__":
    main(*sys.argv[1:])
