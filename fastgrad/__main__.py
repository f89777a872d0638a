"""``python -m fastgrad`` is the ``fastgrad`` command."""

import sys

from fastgrad.cli import main

if __name__ == "__main__":
    sys.exit(main())
