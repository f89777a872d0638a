"""What bad input raises: the exception's type and the beginning of its text, which are PyTorch's."""

import pytest

import fastgrad


def f(t):
    return t.tensor([[1.5, -2.0, 0.0], [3.0, 4.25, -0.5]])


def i(t):
    return t.tensor([[1, -2, 3], [4, 0, 6]])


def b(t):
    return t.tensor([True, False, True])


def v(t):
    return t.tensor([1.0, 2.0, 3.0])


def s(t):
    return t.tensor(2.5)


def changed(x, name, *args):
    getattr(x, name)(*args)


TABLE = [
    # arithmetic
    (lambda t: f(t) + t.ones(2), RuntimeError, "The size of tensor a (3) must match the size of tensor b (2) at non-singl"),
    (lambda t: i(t) + t.ones(4, 2, 3, dtype=t.int32)[:, :, :2], RuntimeError, "The size of tensor a (3) must match"),
    (lambda t: f(t) + "a", TypeError, "unsupported operand type(s) for +: 'Tensor' and 'str'"),
    (lambda t: None - f(t), TypeError, "unsupported operand type(s) for -: 'NoneType' and 'Tensor'"),
    (lambda t: t.add(f(t), "a"), TypeError, "add(): argument 'other' (position 2) must be Tensor, not str"),
    (lambda t: t.mul("a", f(t)), TypeError, "mul(): argument 'input' (position 1) must be Tensor, not str"),
    (lambda t: t.add(i(t), i(t), alpha=0.5), RuntimeError, "For integral input tensors, argument alpha must not be a fl"),
    (lambda t: b(t) - b(t), RuntimeError, "Subtraction, the `-` operator, with two bool tensors is not supported."),
    (lambda t: 1 - b(t), RuntimeError, "Subtraction, the `-` operator, with a bool tensor is not supported."),
    (lambda t: -b(t), RuntimeError, "Negation, the `-` operator, on a bool tensor is not supported."),
    (lambda t: t.div(i(t), 0, rounding_mode="trunc"), RuntimeError, "ZeroDivisionError"),
    (lambda t: i(t) // 0, RuntimeError, "ZeroDivisionError"),
    (lambda t: t.div(f(t), 2, rounding_mode="up"), RuntimeError, "div expected rounding_mode to be one of None, 'trunc'"),
    (lambda t: f(t) ** "a", TypeError, "unsupported operand type(s) for ** or pow(): 'Tensor' and 'str'"),
    (lambda t: i(t) ** -1, RuntimeError, "Integers to negative integer powers are not allowed."),
    (lambda t: f(t) < "a", TypeError, "'<' not supported between instances of 'Tensor' and 'str'"),
    (lambda t: ~f(t), TypeError, "~ (operator.invert) is only implemented on integer and Boolean-type tensors"),
    (lambda t: f(t) & 1, NotImplementedError, "\"bitwise_and_cpu\" not implemented for 'Float'"),
    # elementwise
    (lambda t: t.exp("a"), TypeError, "exp(): argument 'input' (position 1) must be Tensor, not str"),
    (lambda t: t.abs(b(t)), NotImplementedError, "\"abs_cpu\" not implemented for 'Bool'"),
    (lambda t: t.clamp(f(t)), RuntimeError, "torch.clamp: At least one of 'min' or 'max' must not be None"),
    (lambda t: t.clamp(f(t), v(t), 1), TypeError, "clamp() received an invalid combination of arguments - got (Tensor, T"),
    (lambda t: t.maximum(f(t), 2), TypeError, "maximum(): argument 'other' (position 2) must be Tensor, not int"),
    (lambda t: t.where(f(t), f(t), f(t)), RuntimeError, "where expected condition to be a boolean tensor, but got a te"),
    (lambda t: t.isclose(f(t), i(t)), RuntimeError, "Float did not match Long"),
    # reductions
    (lambda t: f(t).sum(2), IndexError, "Dimension out of range (expected to be in range of [-2, 1], but got 2)"),
    (lambda t: f(t).sum((0, -2)), RuntimeError, "dim 0 appears multiple times in the list of dims"),
    (lambda t: s(t).sum(1), IndexError, "Dimension out of range (expected to be in range of [-1, 0], but got 1)"),
    (lambda t: i(t).mean(), RuntimeError, "mean(): could not infer output dtype. Input dtype must be either a floating"),
    (lambda t: f(t).mean(dtype=t.int64), RuntimeError, "mean(): could not infer output dtype. Optional dtype must be"),
    (lambda t: t.empty(0).max(), RuntimeError, "max(): Expected reduction dim to be specified for input.numel() == 0."),
    (lambda t: t.empty(0, 3).max(0), IndexError, "max(): Expected reduction dim 0 to have non-zero size."),
    (lambda t: t.empty(0).argmin(), IndexError, "argmin(): Expected reduction dim to be specified for input.numel() =="),
    (lambda t: b(t).argmax(), RuntimeError, "argmax(): does not support bool input"),
    (lambda t: t.sum([1, 2]), TypeError, "sum(): argument 'input' (position 1) must be Tensor, not list"),
    # shapes
    (lambda t: f(t).view(4), RuntimeError, "shape '[4]' is invalid for input of size 6"),
    (lambda t: f(t).view(-1, 4), RuntimeError, "shape '[-1, 4]' is invalid for input of size 6"),
    (lambda t: f(t).view(-1, -1), RuntimeError, "only one dimension can be inferred"),
    (lambda t: f(t).view(-2, 3), RuntimeError, "invalid shape dimension -2 at index 0 of shape [-2, 3]"),
    (lambda t: t.empty(0).view(-1, 0), RuntimeError, "cannot reshape tensor of 0 elements into shape [-1, 0] because"),
    (lambda t: f(t).t().view(6), RuntimeError, "view size is not compatible with input tensor's size and stride (at l"),
    (lambda t: t.zeros(2, 3, 4).t(), RuntimeError, "t() expects a tensor with <= 2 dimensions, but self is 3D"),
    (lambda t: f(t).transpose(0, 2), IndexError, "Dimension out of range (expected to be in range of [-2, 1], but go"),
    (lambda t: f(t).permute(0, 0), RuntimeError, "permute(): duplicate dims are not allowed."),
    (lambda t: f(t).permute(0), RuntimeError, "permute(sparse_coo): number of dimensions in the tensor input does no"),
    (lambda t: f(t).expand(2, 2), RuntimeError, "The expanded size of the tensor (2) must match the existing size (3)"),
    (lambda t: f(t).expand(3), RuntimeError, "expand(torch.FloatTensor{[2, 3]}, size=[3]): the number of sizes provid"),
    (lambda t: v(t).expand(-1, 3), RuntimeError, "The expanded size of the tensor (-1) isn't allowed in a leading"),
    (lambda t: f(t).flatten(1, 0), RuntimeError, "flatten() has invalid args: start_dim cannot come after end_dim"),
    (lambda t: f(t).squeeze(5), IndexError, "Dimension out of range"),
    (lambda t: t.cat([]), ValueError, "torch.cat(): expected a non-empty list of Tensors"),
    (lambda t: t.cat([f(t), v(t)]), RuntimeError, "Tensors must have same number of dimensions: got 2 and 1"),
    (lambda t: t.cat([f(t), t.zeros(2, 4)]), RuntimeError, "Sizes of tensors must match except in dimension 0. Expected"),
    (lambda t: t.cat([s(t)]), RuntimeError, "zero-dimensional tensor (at position 0) cannot be concatenated"),
    (lambda t: t.cat([f(t), 1]), TypeError, "expected Tensor as element 1 in argument 0, but got int"),
    (lambda t: t.stack([]), RuntimeError, "stack expects a non-empty TensorList"),
    (lambda t: t.stack([f(t), v(t)]), RuntimeError, "stack expects each tensor to be equal size, but got [2, 3] at entry"),
    # indexing
    (lambda t: f(t)[2], IndexError, "index 2 is out of bounds for dimension 0 with size 2"),
    (lambda t: f(t)[0, -4], IndexError, "index -4 is out of bounds for dimension 1 with size 3"),
    (lambda t: f(t)[0, 0, 0], IndexError, "too many indices for tensor of dimension 2"),
    (lambda t: s(t)[0], IndexError, "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or"),
    (lambda t: s(t)[:], IndexError, "slice() cannot be applied to a 0-dim tensor."),
    (lambda t: f(t)[::-1], ValueError, "step must be greater than zero"),
    (lambda t: f(t)[[5]], IndexError, "index 5 is out of bounds for dimension 0 with size 2"),
    (lambda t: f(t)[[0, 1], [0, 1, 2]], IndexError, "shape mismatch: indexing tensors could not be broadcast together"),
    (lambda t: f(t)[t.tensor([True])], IndexError, "The shape of the mask [1] at index 0 does not match the shape of th"),
    (lambda t: f(t)[t.tensor([0.0])], IndexError, "tensors used as indices must be long, int, byte or bool tensors"),
    (lambda t: f(t)[1.0], IndexError, "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables a"),
    (lambda t: changed(f(t), "__setitem__", 0, t.ones(2)), RuntimeError, "The expanded size of the tensor (3) must match"),
    (lambda t: changed(f(t), "__setitem__", [0], t.ones(2)), RuntimeError, "shape mismatch: value tensor of shape [2] can"),
    (lambda t: changed(f(t), "__setitem__", 0, [1, 2, 3]), TypeError, "can't assign a list to a torch.FloatTensor"),
    (lambda t: changed(i(t), "__setitem__", 0, float("inf")), RuntimeError, "value cannot be converted to type int64_t w"),
    (lambda t: f(t).narrow(1, 2, 2), RuntimeError, "start (2) + length (2) exceeds dimension size (3)."),
    (lambda t: f(t).select(0, 2), IndexError, "select(): index 2 out of range for tensor of size [2, 3] at dimension 0"),
    (lambda t: f(t).index_select(0, t.tensor([-1])), IndexError, "index out of range in self"),
    (lambda t: f(t).gather(1, t.tensor([[3]])), RuntimeError, "index 3 is out of bounds for dimension 1 with size 3"),
    (lambda t: f(t).gather(1, t.tensor([0])), RuntimeError, "Index tensor must have the same number of dimensions as in"),
    # products
    (lambda t: f(t) @ f(t), RuntimeError, "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)"),
    (lambda t: f(t) @ i(t).t(), RuntimeError, "expected m1 and m2 to have the same dtype, but got: float != long int"),
    (lambda t: f(t) @ s(t), RuntimeError, "both arguments to matmul need to be at least 1D, but they are 2D and 0D"),
    (lambda t: f(t) @ t.ones(2), RuntimeError, "size mismatch, got input (2), mat (2x3), vec (2)"),
    (lambda t: t.mm(v(t), f(t)), RuntimeError, "self must be a matrix"),
    (lambda t: t.dot(v(t), t.ones(4)), RuntimeError, "inconsistent tensor size, expected tensor [3] and src [4] to have"),
    (lambda t: t.bmm(f(t), f(t)), RuntimeError, "batch1 must be a 3D tensor"),
    (lambda t: t.addmm(t.ones(3), f(t), f(t).t()), RuntimeError, "The expanded size of the tensor (2) must match the exi"),
    # creation and conversion
    (lambda t: t.tensor([[1, 2], [3]]), ValueError, "expected sequence of length 2 at dim 1 (got 1)"),
    (lambda t: t.tensor([[1, 2], 3]), TypeError, "not a sequence"),
    (lambda t: t.tensor("a"), TypeError, "new(): invalid data type 'str'"),
    (lambda t: t.tensor(["a"]), ValueError, "too many dimensions 'str'"),
    (lambda t: t.tensor([None]), RuntimeError, "Could not infer dtype of NoneType"),
    (lambda t: t.tensor(2**63), ValueError, "Overflow when unpacking long long"),
    (lambda t: t.tensor([300], dtype=t.uint8), RuntimeError, "value cannot be converted to type uint8 without overflow"),
    (lambda t: t.tensor([1], requires_grad=True), RuntimeError, "Only Tensors of floating point and complex dtype can re"),
    (lambda t: t.zeros(-1), RuntimeError, "zeros: Dimension size must be non-negative."),
    (lambda t: t.zeros(2.5), TypeError, "zeros(): argument 'size' (position 1) must be tuple of ints, not float"),
    (lambda t: t.zeros(), TypeError, 'zeros() missing 1 required positional arguments: "size"'),
    (lambda t: t.full((2,), 1e40), RuntimeError, "value cannot be converted to type float without overflow"),
    (lambda t: t.full((2,), "a"), TypeError, "full(): argument 'fill_value' (position 2) must be Number, not str"),
    (lambda t: t.arange(1, 5, 0), RuntimeError, "step must be nonzero"),
    (lambda t: t.arange(5, 1), RuntimeError, "upper bound and lower bound inconsistent with step sign"),
    (lambda t: t.linspace(0, 1, -1), RuntimeError, "number of steps must be non-negative"),
    (lambda t: t.eye(-1), RuntimeError, "n must be greater or equal to 0, got -1"),
    (lambda t: t.from_numpy([1]), TypeError, "expected np.ndarray (got list)"),
    (lambda t: f(t).type("abc"), ValueError, "invalid type: 'abc'"),
    (lambda t: t.finfo(t.int64), TypeError, "torch.finfo() requires a floating point input type."),
    (lambda t: t.set_default_dtype(t.int64), TypeError, "only floating-point types are supported as the default type"),
    # values
    (lambda t: f(t).item(), RuntimeError, "a Tensor with 6 elements cannot be converted to Scalar"),
    (lambda t: int(f(t)), ValueError, "only one element tensors can be converted to Python scalars"),
    (lambda t: bool(f(t)), RuntimeError, "Boolean value of Tensor with more than one value is ambiguous"),
    (lambda t: bool(t.empty(0)), RuntimeError, "Boolean value of Tensor with no values is ambiguous"),
    (lambda t: len(s(t)), TypeError, "len() of a 0-d tensor"),
    (lambda t: list(s(t)), TypeError, "iteration over a 0-d tensor"),
    (lambda t: [1, 2, 3][s(t)], TypeError, "only integer tensors of a single element can be converted to an index"),
    (lambda t: f(t).requires_grad_().numpy(), RuntimeError, "Can't call numpy() on Tensor that requires grad. Use ten"),
    # in place
    (lambda t: changed(i(t), "add_", 0.5), RuntimeError, "result type Float can't be cast to the desired output type Long"),
    (lambda t: changed(v(t), "add_", f(t)), RuntimeError, "output with shape [3] doesn't match the broadcast shape [2, 3"),
    (lambda t: changed(v(t).expand(2, 3), "add_", 1), RuntimeError, "unsupported operation: more than one element of the"),
    (lambda t: changed(v(t), "fill_", v(t)), RuntimeError, "fill_ only supports 0-dimension value tensor but got tensor w"),
    (lambda t: changed(v(t), "copy_", t.ones(2)), RuntimeError, "The size of tensor a (3) must match the size of tensor b"),
    (lambda t: changed(v(t).requires_grad_(), "mul_", 2), RuntimeError, "a leaf Variable that requires grad is being used"),
    (lambda t: v(t).stak, AttributeError, "'Tensor' object has no attribute 'stak'"),
]  # fmt: skip


def raised(t, call):
    with pytest.raises(Exception) as caught:
        call(t)
    return caught.value


@pytest.mark.parametrize("row", range(len(TABLE)))
def test_error(row):
    call, kind, text = TABLE[row]
    error = raised(fastgrad, call)
    assert type(error) is kind
    assert str(error).startswith(text)


@pytest.mark.parametrize("row", range(len(TABLE)))
def test_the_table_is_pytorch_s(row, torch):
    call, kind, text = TABLE[row]
    error = raised(torch, call)
    assert type(error) is kind
    assert str(error).startswith(text)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: fastgrad.mtmul, "module 'fastgrad' has no attribute 'mtmul'. Did you mean: 'matmul'?"),
        (lambda: fastgrad.ones(1).backgrad, "'Tensor' object has no attribute 'backgrad'. Did you mean: 'backward'?"),
        (lambda: fastgrad.ones(1).reshap, "'Tensor' object has no attribute 'reshap'. Did you mean: 'reshape'?"),
    ],
)
def test_a_slip_names_the_nearest_name(call, text):
    with pytest.raises(AttributeError) as caught:
        call()
    assert str(caught.value) == text
