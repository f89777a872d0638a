"""`backward` and `autograd.grad`: options, what they return, and what they refuse."""

import pytest

import fastgrad
from tests.autograd.outcome import Cases, error, leaf

cases = Cases()


@cases("RuntimeError: Trying to backward through the graph a second time...")
def freed_mul(torch):
    x = leaf(torch, 1.0, 2.0)
    y = (x * x).sum()
    y.backward()
    return error(y.backward)


@cases([4.0, 4.0])
def freed_add_ok(torch):
    x = leaf(torch, 1.0, 2.0)
    y = (x + x).sum()
    y.backward()
    y.backward()
    return x.grad


@cases("RuntimeError: Trying to backward through the graph a second time...")
def freed_partial(torch):
    x = leaf(torch, 1.0, 2.0)
    h = x * x
    a = h.sum()
    b = (h * 3).sum()
    a.backward()
    return error(b.backward)


@cases("RuntimeError: grad can be implicitly created only for scalar outputs")
def nonscalar(torch):
    x = leaf(torch, 1.0, 2.0)
    return error((x * x).backward)


@cases("RuntimeError: element 0 of tensors does not require grad and does...")
def nograd_needed(torch):
    x = torch.tensor([1.0])
    return error(x.backward)


@cases("RuntimeError: element 0 of tensors does not require grad and does...")
def nograd_needed_sum(torch):
    x = torch.tensor([1.0])
    return error(lambda: torch.autograd.grad(x.sum(), x))


@cases("RuntimeError: The differentiated Tensor at index 0 appears to not...")
def grad_unused(torch):
    x = leaf(torch, 1.0)
    y = leaf(torch, 1.0)
    return error(lambda: torch.autograd.grad(x.sum(), y))


@cases(([1.0], None))
def grad_unused_allowed(torch):
    x = leaf(torch, 1.0)
    y = leaf(torch, 1.0)
    return torch.autograd.grad(x.sum(), [x, y], allow_unused=True)


@cases(([1.0], [0.0]))
def grad_unused_mat(torch):
    x = leaf(torch, 1.0)
    y = leaf(torch, 1.0)
    return torch.autograd.grad(x.sum(), [x, y], materialize_grads=True)


@cases("ValueError: Expected allow_unused to be True or not passed when...")
def grad_mat_conflict(torch):
    x = leaf(torch, 1.0)
    return error(lambda: torch.autograd.grad(x.sum(), [x], materialize_grads=True, allow_unused=False))


@cases("RuntimeError: One of the differentiated Tensors does not require grad")
def grad_not_required(torch):
    x = leaf(torch, 1.0)
    y = torch.tensor([1.0])
    return error(lambda: torch.autograd.grad((x * y).sum(), [y]))


@cases("RuntimeError: Mismatch in shape: grad_output[0] has a shape of...")
def grad_shape_mismatch(torch):
    x = leaf(torch, 1.0, 2.0)
    return error(lambda: (x * 2).backward(torch.ones(3)))


@cases("RuntimeError: Mismatch in shape: grad_output[0] has a shape of...")
def grad_shape_mismatch2(torch):
    x = leaf(torch, 1.0, 2.0)
    return error(lambda: torch.autograd.grad(x * 2, x, torch.ones(3)))


@cases("TypeError: gradients can be either Tensors or None, but got float")
def grad_type(torch):
    x = leaf(torch, 1.0, 2.0)
    return error(lambda: (x * 2).backward([1.0, 1.0]))


@cases((True, [2.0, 2.0]))
def grad_dtype64(torch):
    x = leaf(torch, 1.0, 2.0)
    (x * 2).backward(torch.ones(2, dtype=torch.float64))
    return (x.grad.dtype is torch.float32, x.grad)


@cases(None)
def grad_dtypeint(torch):
    x = leaf(torch, 1.0, 2.0)
    return error(lambda: (x * 2).backward(torch.ones(2, dtype=torch.int64)))


@cases([3.0, 5.0])
def several_roots(torch):
    x = leaf(torch, 1.0, 2.0)
    torch.autograd.backward([x.sum(), x * x], [None, torch.ones(2)])
    return x.grad


@cases("RuntimeError: got 2 tensors and 1 gradients")
def several_roots_count(torch):
    x = leaf(torch, 1.0, 2.0)
    return error(lambda: torch.autograd.backward([x.sum(), x * x], [None]))


@cases([2.0])
def root_is_leaf(torch):
    x = leaf(torch, 1.0)
    x.backward()
    x.backward()
    return x.grad


@cases(([1.0],))
def grad_of_leaf_itself(torch):
    x = leaf(torch, 1.0)
    return torch.autograd.grad(x, x)


@cases(([1.0], [2.0]))
def grad_of_interm_itself(torch):
    x = leaf(torch, 1.0)
    y = x * 2
    return torch.autograd.grad(y, [y, x])


@cases(([2.0], [2.0]))
def grad_same_input_twice(torch):
    x = leaf(torch, 1.0)
    y = x * 2
    return torch.autograd.grad(y, [x, x])


@cases("RuntimeError: `inputs` argument to `grad()` cannot be empty.")
def grad_inputs_empty(torch):
    x = leaf(torch, 1.0)
    return error(lambda: torch.autograd.grad([x * 2], []))


@cases("RuntimeError: The differentiated Tensor at index 0 appears to not...")
def allow_unused_err_order(torch):
    x = leaf(torch, 1.0)
    return error(lambda: torch.autograd.grad([], [x]))


@cases(([[2.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 6.0]],))
def batched(torch):
    x = leaf(torch, 1.0, 2.0, 3.0)
    y = x * x
    return torch.autograd.grad(y, x, torch.eye(3), is_grads_batched=True)


@cases(([12.0], [12.0], [6.0]))
def retain_default_create(torch):
    x = leaf(torch, 2.0)
    y = x**3
    (g,) = torch.autograd.grad(y, x, create_graph=True)
    (h,) = torch.autograd.grad(g, x, create_graph=True)
    (k,) = torch.autograd.grad(h, x)
    return (g, h, k)


@cases(([4.0, 8.0],))
def grad_dup_outputs(torch):
    x = leaf(torch, 1.0, 2.0)
    y = (x * x).sum()
    return torch.autograd.grad([y, y], x)


@cases([1024.0])
def ten_dots(torch):
    x = leaf(torch, 1.0)
    y = x
    for _ in range(10):
        y = y + y
    y.backward()
    return x.grad


@cases((True, [1.0, 1.0]))
def grad_returns_alias(torch):
    x = leaf(torch, 1.0, 2.0)
    g = torch.ones(2)
    (r,) = torch.autograd.grad(x, x, g)
    return (r is g, r)


@cases(([3.0], None))
def inputs_leaf(torch):
    x = leaf(torch, 1.0)
    w = leaf(torch, 3.0)
    (x * w).backward(inputs=[x])
    return (x.grad, w.grad)


@cases(([3.0], None))
def inputs_single(torch):
    x = leaf(torch, 1.0)
    w = leaf(torch, 3.0)
    (x * w).backward(inputs=x)
    return (x.grad, w.grad)


@cases("RuntimeError: `inputs` argument to `backward()` cannot be empty.")
def inputs_empty(torch):
    x = leaf(torch, 1.0)
    return error(lambda: (x * 2).backward(inputs=[]))


@cases((([2.0], True, None), [4.0], [6.0]))
def inputs_nonleaf(torch):
    x = leaf(torch, 1.0)
    y = x * 3
    z = y * 2
    z.backward(inputs=[y], retain_graph=True)
    r = (y.grad, y.retains_grad, x.grad)
    z.backward()
    return (r, y.grad, x.grad)


@cases([4.0])
def inputs_twice(torch):
    x = leaf(torch, 1.0)
    y = (x * x).sum()
    y.backward(inputs=[x], retain_graph=True)
    y.backward(inputs=[x])
    return x.grad


@cases("RuntimeError: can't retain_grad on Tensor that has requires_grad=False")
def inputs_not_required(torch):
    x = leaf(torch, 1.0)
    c = torch.tensor([2.0])
    return error(lambda: (x * c).backward(inputs=[c]))


@cases((None, None))
def inputs_unreachable(torch):
    x = leaf(torch, 1.0)
    c = leaf(torch, 2.0)
    return (error(lambda: (x * 2).backward(inputs=[c])), c.grad)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_outcome(case):
    case.check(fastgrad)


@pytest.mark.parametrize("case", cases, ids=cases.ids)
def test_pytorch_agrees(case, torch):
    assert case.run(fastgrad) == case.run(torch)
