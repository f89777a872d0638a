"""A plan in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .passes import Pair
    from .plan import Plan
    from .replay import Replay


def of_plan(plan: Plan) -> str:
    """The steps of a plan, one a line, and its memory."""
    saved = f"{plan.unshared_bytes:,} bytes of temporaries in {plan.arena_bytes:,}"
    lines = [f"plan: {len(plan.events)} operations recorded, {plan.rows} rows, {saved}"]
    for number, step in enumerate(plan.steps):
        lines.append(f"  {number:3}  {step.name:<64} {_where(step)}")
    if plan.visible:
        lines.append(f"  kept for the user: {len(plan.visible)} gradients and results")
    return "\n".join(lines)


def of_replay(replay: Replay) -> str:
    """A plan, and how often it was replayed."""
    return f"{of_plan(replay.plan)}\nreplayed {replay.count} times"


def of_pair(pair: Pair) -> str:
    """A forward plan and the plan of its derivative."""
    return f"forward {of_replay(pair.forward)}\nbackward {of_replay(pair.backward)}"


def _where(step: Any) -> str:
    file, _, line = step.line.rpartition(":")
    return f"{file.rpartition('/')[2]}:{line}"
