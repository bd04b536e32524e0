"""The programs as a user of `task_thread` writes them: one text for ours and the reference.

It uses only what both have, in the manner of the reference's documents: a hook is decorated
with `@verbose`, a handler returns True, `exit__` deletes the thread's tasks, and a co-function
catches its own cancellation.
"""
