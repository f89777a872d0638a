"""`python -m tests.surface [FILE]` writes the table of public names: forms, samples compared with PyTorch, result."""

import sys

import torch

import fastgrad
from tests.surface.rows import FAMILIES, meant
from tests.surface.samples import Outcome, compared, expressions, forms, has

KINDS = ("values", "dtype", "shape", "gradient", "second", "error")


def line(row) -> tuple[str, list[Outcome], list[str]]:
    """A row of the table, its outcomes, and the forms that are missing."""
    wanted = forms(torch, row)
    missing = [name for _, name in wanted if not has(fastgrad, name)]
    outcomes = [compared(fastgrad, torch, expression) for _, expression in expressions(torch, row)]
    for outcome in outcomes:
        outcome.meant = "" if outcome.same else meant(outcome.expression)
    counts = []
    for kind in KINDS:
        compared_here = [getattr(o, kind) for o in outcomes if getattr(o, kind) is not None]
        counts.append(f"{sum(compared_here)}/{len(compared_here)}" if compared_here else "")
    reasons = dict.fromkeys(o.meant for o in outcomes if o.meant)
    same = not missing and all(o.same or o.meant for o in outcomes)
    kinds = ", ".join(kind for kind, _ in wanted) or "expression"
    result = ("; ".join(reasons) or "same") if same else "DIFFERS"
    return f"| {row.family} | `{row.name}` | {kinds} | {' | '.join(counts)} | {result} |", outcomes, missing


def main() -> None:
    rows = [row for family in FAMILIES for row in family.rows]
    head = "family | name | forms | values | dtype | shape and strides | gradient | second gradient | error type | result"
    lines = [f"| {head} |", "| --- " * 10 + "|"]
    names = samples = same = 0
    for row in rows:
        text, outcomes, missing = line(row)
        lines.append(text)
        names += 1
        samples += len(outcomes)
        same += not missing and all(o.same or o.meant for o in outcomes)
        for name in missing:
            print(f"missing: {name}")
        for outcome in outcomes:
            if not (outcome.same or outcome.meant):
                print(f"differs: {outcome.expression}: {outcome.note[:400]}")
    lines.append(f"\n{names} names, {same} the same as in PyTorch; {samples} samples.")
    print(lines[-1].strip())
    if len(sys.argv) > 1:
        with open(sys.argv[1], "w") as file:
            file.write("\n".join(lines) + "\n")


main()
