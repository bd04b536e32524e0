"""What the live view costs: a real JupyterLab and Chromium, all panels shown.

    .venv/bin/python -m tests.benchmarks.view            the table, and build/bench-view.json
    .venv/bin/python -m tests.benchmarks.view --quick    shorter windows

Two programs: 1,000 tasks of 10 turns/s each (in ten threads that also send a few signals and log a few
lines), and one task of 10,000 turns/s. Each is measured in one kernel and one page, in windows that
alternate: the view seen, the view not there or hidden. The difference of neighbours in time is taken,
and of these the median.

- Kernel CPU is what the system says the process used.
- Messages and bytes are counted in the page's websocket, everything that comes from the kernel; and for
  each panel in the kernel, where it sends.
- A trivial cell is timed in the page, from the request to its reply.
- The handlers are timed by the panels themselves; frames/s is how often the page could draw.
"""
