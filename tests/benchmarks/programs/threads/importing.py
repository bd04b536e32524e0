"""The library that a program of threads imports."""

LIBRARY = "task_thread"
