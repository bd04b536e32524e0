"""What the library does in a Jupyter kernel, and nowhere else.

    cells.py      a cell that is run again first stops what it started before
    names.py      which threads a name of the notebook holds
    live.py       a class whose cell is run again gives its running threads the new code
    interrupt.py  the interrupt button reaches a task that blocks the loop, and no other
    explain.py    a cell that runs the loop a second time gets told what to write instead
    display.py    a thread as a cell's value is shown live; in marimo, too
    marimo.py     what cells.py does, in marimo, which has no IPython
    magics.py     %taskthreads
    browser.py    what a kernel in a browser (JupyterLite) needs, to do what it does elsewhere
    loopback.py   servers and connections where there are no sockets
    shell.py      the parts above in and out of IPython

`import task_thread` in a kernel brings all but marimo's part, and the magic, which `%load_ext task_thread`
adds.
"""
