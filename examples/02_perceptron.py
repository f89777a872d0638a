"""A perceptron o = sigmoid(x @ w.t()) with one output, then two, and the gradient of its squared error."""

import fastgrad as torch
from fastgrad.nn import functional as F


def main():
    torch.manual_seed(2)
    results = {}
    x = torch.randn(1, 10)
    for outputs in (1, 2):
        w = torch.randn(outputs, 10, requires_grad=True)
        o = torch.sigmoid(x @ w.t())
        # With two outputs the one target is broadcast to both, and a warning says so.
        loss = F.mse_loss(torch.ones(1, 1), o)
        loss.backward()
        print(f"{outputs} output(s): o = {o.tolist()}, loss = {loss.item():.6f}")
        print("w.grad =", w.grad)
        results |= {f"o{outputs}": o, f"loss{outputs}": loss, f"dw{outputs}": w.grad}
    return results


if __name__ == "__main__":
    main()
