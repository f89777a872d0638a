"""Gradients of a softmax, one output at a time, and what PyTorch's (and fastgrad's) errors look like.

The derivative of softmax is  dp_i/da_j = p_i * (1 - p_j) where i = j, and -p_i * p_j elsewhere.
"""

import fastgrad as torch
from fastgrad import autograd
from fastgrad.nn import functional as F


def message(call):
    """The first line of the error that a call must raise."""
    try:
        call()
    except (AttributeError, RuntimeError, TypeError) as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    raise AssertionError("the call should have failed")


def main():
    torch.manual_seed(1)
    a = torch.rand(3)
    a.requires_grad_()
    p = F.softmax(a, dim=0)
    print("a       ", a)
    print("p       ", p)

    # p has three elements: there is no one gradient to start from.
    errors = {"p.backward()": message(lambda: p.backward())}

    # The graph is kept for the second output and freed after it; the third has nothing to go back through.
    (dp1,) = autograd.grad(p[1], [a], retain_graph=True)
    (dp2,) = autograd.grad(p[2], [a])
    errors["autograd.grad(p[0], [a])"] = message(lambda: autograd.grad(p[0], [a]))
    print("dp[1]/da", dp1)
    print("dp[2]/da", dp2)

    # Four slips of the keyboard. Each error names what was probably meant.
    loss = F.mse_loss(F.softmax(a, dim=0), torch.zeros(3))
    slips = {
        "autograd.gard": message(lambda: autograd.gard(loss, [a])),
        "F.mse.loss": message(lambda: F.mse.loss(p, a)),
        "retain_gragh=True": message(lambda: autograd.grad(loss, [a], retain_gragh=True)),
        "loss.backgrad()": message(lambda: loss.backgrad()),
    }
    for call, text in {**errors, **slips}.items():
        print(f"{call:26} {text}")
    return {"a": a, "p": p, "dp1": dp1, "dp2": dp2, "errors": errors, "slips": slips}


if __name__ == "__main__":
    main()
