"""The network that the command line trains, and the one file that holds all a prediction needs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import fastgrad
from fastgrad import Tensor, io, nn, table
from fastgrad.cli.options import OptionError

__all__ = ["MODEL", "load", "mlp", "outputs_of", "save"]

MODEL = "model.safetensors"
FORMAT = 1  # of what the file says about a table
ROWS_AT_ONCE = 4096


def mlp(widths: Sequence[int], dropout: float) -> nn.Sequential:
    """Linear layers of these widths, with ReLU and dropout between them.

    >>> mlp([4, 8, 3], dropout=0.0)
    Sequential(
      (0): Linear(in_features=4, out_features=8, bias=True)
      (1): ReLU()
      (2): Linear(in_features=8, out_features=3, bias=True)
    )
    """
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths[:-1]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        if dropout:
            layers.append(nn.Dropout(dropout))
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1]))


@fastgrad.no_grad()
def outputs_of(model: nn.Module, inputs: Tensor) -> Tensor:
    """What the model gives for all rows, in eval mode, some thousand rows at a time.

    >>> outputs_of(nn.Linear(4, 2), fastgrad.rand(9, 4)).shape
    torch.Size([9, 2])
    """
    model.eval()
    parts = [model(inputs[start : start + ROWS_AT_ONCE]) for start in range(0, len(inputs), ROWS_AT_ONCE)]
    return fastgrad.cat(parts)


def save(
    model: nn.Module,
    folder: Path,
    metadata: Mapping[str, str],
    widths: Sequence[int],
    dropout: float,
    preprocessing: table.Preprocessing | None,
    target: table.Target | None,
) -> Path:
    """Write the parameters and, as JSON in the header, all else that a prediction needs.

    It is one file because a file is replaced whole: parameters and preprocessing of two trainings never meet.
    """
    metadata = dict(metadata)
    if preprocessing and target:
        content = {
            "format": FORMAT,
            "widths": list(widths),
            "dropout": dropout,
            "preprocessing": preprocessing.to_json(),
            "target": target.to_json(),
        }
        metadata["table"] = json.dumps(content, allow_nan=False)
    io.save(model.state_dict(), folder / MODEL, metadata=metadata)
    return folder / MODEL


def load(folder: Path) -> tuple[nn.Module, table.Preprocessing, table.Target]:
    """What ``save`` wrote into a folder for a table; nothing in the file is executed.

    Raises OptionError, with one line, where there is no such model.
    """
    path = folder / MODEL
    if not folder.is_dir():
        raise OptionError(f"no such folder: {folder}")
    if not path.is_file():
        raise OptionError(f"{folder} holds no {MODEL}: is it what `fastgrad train` has written?")
    try:
        metadata, state = io.load_metadata(path), io.load(path)
    except ValueError as error:
        raise OptionError(str(error)) from None
    if "table" not in metadata:
        raise OptionError(f"{path} was not trained on a table ({metadata.get('model', 'it does not say on what')})")
    try:
        content = json.loads(metadata["table"])
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']}, not {FORMAT}")
        preprocessing = table.Preprocessing.from_json(content["preprocessing"])
        target = table.Target.from_json(content["target"])
        model = mlp(content["widths"], content["dropout"])
        model.load_state_dict(state)
        if (content["widths"][0], content["widths"][-1]) != (preprocessing.size, target.size):
            raise ValueError("its layers do not fit its columns")
    except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
        reason = str(error).split("\n")[0]
        raise OptionError(f"{path} was written by another version or is damaged ({reason})") from None
    return model, preprocessing, target
