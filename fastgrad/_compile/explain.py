"""A plan in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .plan import Plan


def of_plan(plan: Plan) -> str:
    """The steps of a plan, one a line, and its memory."""
    saved = f"{plan.unshared_bytes:,} bytes of temporaries in {plan.arena_bytes:,}"
    lines = [f"plan: {len(plan.events)} operations recorded, {plan.rows} rows, {saved}"]
    for number, step in enumerate(plan.steps):
        lines.append(f"  {number:3}  {step.name:<64} {_where(step)}")
    if plan.visible:
        lines.append(f"  kept for the user: {len(plan.visible)} gradients and results")
    return "\n".join(lines)


def _where(step: Any) -> str:
    file, _, line = step.line.rpartition(":")
    return f"{file.rpartition('/')[2]}:{line}"
