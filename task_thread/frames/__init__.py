"""What reads live threads and makes frames of them: for a live view, and for a recording.

    frame              what changed in a panel since the frame before, as one message
    sampler            when frames are made: the clock of a loop
    lives watching     which threads are shown; whose traces are kept meanwhile
    roster             numbered rows, and what of them is new
    tree_rows          the frames of the tree
    task_about         where the time of its selected task goes
    timeline_lanes timeline_frames    of the timeline
    source_text source_frames         of a task's code
    log_lines          of the log
    signal_frames      of the signals
    waits_frames       of who waits for what
    advice_frames      of what the coach told
    code_frames wait_records    what only a recording has: where each task stands; all waits

Nothing here knows of a page or a file. What these keep of it, and for how long, they say themselves:
`static/NAME_store.js` of the panel, and `recording/moment.py`.
"""
