"""How fast and how small `task_thread` is, beside the reference and beside bare asyncio.

    .venv/bin/python -m tests.benchmarks                    the table, and build/bench.json
    .venv/bin/python -m tests.benchmarks --quick            a look in under a minute
    .venv/bin/python -m tests.benchmarks --only turns --rounds 15
    .venv/bin/python -m tests.benchmarks --python python3.11 --python python3.13

Three implementations of the same work are measured in one run:

- `ours`: the package `task_thread` of this checkout;
- `reference`: `task-virtualthread` 0.0.3, in a virtual environment of its own, since both
  provide a package of the same name;
- `bare`: asyncio, as one would write that work by hand without any library.

Every measurement is a process of its own, so that no heap, garbage collector or warm cache is
inherited from the one before it. A round runs the implementations one after the other on one
work, and the next round begins with another of them. Ratios are taken round by round, between
neighbours in time, and their median is shown: a noisy machine slows neighbours alike.

All three run on the same interpreter with the same site-packages; only PYTHONPATH tells ours
from the reference. The garbage collector is left on, as a user has it.

What is measured is in `works/`, once for all; the programs are in `programs/`. Ours and the
reference run the same text (`programs/threads/`), which is written as the reference's documents
teach. The goals stand in `goals.py`.
"""
