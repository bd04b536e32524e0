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
- A trivial cell is timed twice. Beside the server, over the kernel's own socket: that is what the view
  costs the kernel. And in the page, from the request to its reply: that is what a person meets, and it
  includes Jupyter's server, which sets no TCP_NODELAY on its websockets. There a small message waits
  until the browser has acknowledged the one before it, up to 40 ms, as soon as anything at all is sent
  ten times a second; so the same cell is timed in the page also with no view and a bare stream of ten
  small messages a second.
- The handlers are timed by the panels themselves; frames/s is how often the page could draw.
"""
