"""Running one function under fastgrad and under PyTorch, and comparing what it returns or raises."""

import numpy as np

import fastgrad


def plain(value):
    """Tensors as nested lists, inside lists and tuples too."""
    if hasattr(value, "detach"):
        return value.detach().numpy().tolist()
    return [plain(x) for x in value] if isinstance(value, (list, tuple)) else value


def outcome(library, function):
    library.manual_seed(5)
    try:
        return plain(function(library))
    except Exception as error:
        return [type(error).__name__, str(error).replace("torch.nn.", "nn.")]


def near(ours, theirs):
    if isinstance(ours, float) or isinstance(theirs, float):
        return bool(np.isclose(ours, theirs, rtol=1e-5, atol=1e-6))
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(near, ours, theirs))
    return ours == theirs


def same(torch, function):
    """Equal results (numbers to float32's accuracy), or equal errors; the generators start from one seed."""
    ours, theirs = outcome(fastgrad, function), outcome(torch, function)
    assert near(ours, theirs), f"{ours}\ninstead of\n{theirs}"
