"""The ``fastgrad`` command: ``train`` an MLP on a table or on the digits that ship with the package, ``predict``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from fastgrad.cli.options import BAD_OPTION, FAILED, INTERRUPTED, OptionError, parser

__all__ = ["main"]

_TOO_LARGE = ("can't allocate memory", "Storage size calculation overflowed")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 1 where a file could not be written,
    2 for a bad option or table, 130 after Ctrl-C.

    Example:
        >>> main(["train", "--epochs", "5", "--out", "runs/five"])  # doctest: +SKIP
        0
    """
    options = parser().parse_args(arguments)
    try:
        if options.command == "train":
            from fastgrad.cli.train import train as run
        else:
            from fastgrad.cli.predict import predict as run
        return run(options)
    except OptionError as error:
        print(f"fastgrad {options.command}: {error}", file=sys.stderr)
        return BAD_OPTION
    except OSError as error:  # a full disk, a folder that went away
        print(f"fastgrad {options.command}: {error}", file=sys.stderr)
        return FAILED
    except RuntimeError as error:
        if not any(text in str(error) for text in _TOO_LARGE):
            raise
        print(f"fastgrad {options.command}: the model does not fit into memory: {error}", file=sys.stderr)
        return BAD_OPTION
    except KeyboardInterrupt:  # before training started, or a second time
        print(f"fastgrad {options.command}: interrupted", file=sys.stderr)
        return INTERRUPTED
