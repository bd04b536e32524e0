"""The machinery under the public names; it imports nothing above it, and tells by `instruments` what it does.

From the ground up:

    texts          what the program's own objects are called in our sentences, whatever they raise
    environment    notebook or script, which loop runs here
    unawaited      a coroutine that was thrown away before anybody awaited it
    lines          at which line of the user's code something waits, stands or failed
    log            where log lines go; nothing raises there
    context        which thread and task the running code belongs to; a TaskThread's inside
    tree           the threads above and below one; the one way to walk
    instruments    who listens to the core
    registry       the live roots
    watchdog       does a loop still turn? asked only while somebody listens
    deadlines      one timer for all limits of a tree
    effect         what a control returns
    groups patient stepping     a coroutine that is cancelled or dropped without its task
    rate pacing    turns/s of a task; what pauses it and holds it to a pace
    trace          what tasks did, in a ring, while a view watches
    driver         a rescheduling task: all its turns in one asyncio task
    slots ending   `thread.tasks`; how tasks end
    hooks          enter__, exit__ and the like: limited in time
    mailbox dispatcher          signals: one queue for each direction; who delivers them
    starting stopping lifecycle a thread from its start to its end
    os_signals     Ctrl-C, SIGTERM and SIGHUP stop a script's roots; forks
"""
