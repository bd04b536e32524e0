"""What is measured, once for all implementations: one work a file.

A work names its `PROGRAM`, and measures it with the coroutine `measure(program, ...)`, which
returns its figures by name; a text in the place of a figure is the reason why there is none.
"""
