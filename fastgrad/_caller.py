"""Where the user's code is that is being run."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType

__all__ = ["user_frame"]

_HERE = str(Path(__file__).resolve().parent)


def user_frame() -> tuple[FrameType, int]:
    """The frame of the user's code that is being run, and how far it is above the caller (1: the caller itself)."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        frame, level = frame.f_back, level + 1
    return frame, level
