"""The compiled step: record what a step does, plan it, replay the plan.

    events.py       what a recording consists of
    record.py       what a step does, written down while it runs       (memory.py: which buffer an address is)
    hooks.py        hooks of tensors, which run between two walks      (closures.py: functions around a step's tensors)
    environment.py  what it reaches beside its arguments
    leaves.py       gradients that are there at first, or not      (refusals.py: what no plan could do)
    calls.py        what of a call's arguments decides the plan        (apart.py: do they overlap what is written?)
    agree.py        do two recordings say the same?
    fuse.py         dead rows go, neighbours become one                (share.py: small products go to threads in groups)
    updates.py      large gradients that nobody keeps are used up where they are made
    layout.py       temporaries in one arena           (resident.py: whose pages are there before the first replay)
    plan.py         the words that compiled code walks                 (visible.py: memory that users see)
    replay.py       guards, this call's addresses, the walk, results   (watch.py: has anything moved since the last one?)
    step.py         `fastgrad.compile` of a step
    model.py        and of a function whose `backward()` is outside    (passes.py: its passes; module.py: of a module)
    explain.py      plans in words

Nothing here knows a formula: rows are addresses with arguments.
"""
