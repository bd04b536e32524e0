"""The machinery under the public names. It imports nothing above it; others listen to it by `instruments`.

From the ground up:

    texts          the text of any object of the program, and how much of it is shown; never raises
    environment    notebook or script, which loop runs here
    unawaited      a coroutine that was thrown away before anybody awaited it
    chain          what a coroutine awaits, and what that awaits, down to the future
    lines          at which line of the user's code something waits, runs or failed
    log            log lines; never raises
    context        which thread and task the running code belongs to; from a TaskThread to its life
    tree           the threads above and below one; the one way to walk
    instruments    who listens to the core
    registry       the live roots
    watchdog       asks loops whether they still turn, while there is a listener
    deadlines      one timer for all limits of a tree
    effect         the futures that a control returns
    groups patient stepping     a coroutine that is cancelled or dropped without its task
    rate pacing    turns/s of a task; what pauses it and holds it to a pace
    times trace    what tasks and signals did, in a ring, while a view watches; where the time of some goes
    origin         which line made a task, cancelled it, stopped a thread
    driver         a rescheduling task: all its turns in one asyncio task
    slots ending   `thread.tasks`; how tasks end
    hooks          enter__, exit__ and the like: limited in time
    mailbox dispatcher          signals: one queue for each direction; their delivery
    source         the text of a function as a syntax tree
    awaiting waits what a coroutine waits for, and who could end it; only when somebody looks
    starting stopping lifecycle a thread from its start to its end
    os_signals     Ctrl-C, SIGTERM and SIGHUP stop a script's roots; forks
"""
