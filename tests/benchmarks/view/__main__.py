"""Lets `python -m tests.benchmarks.view` run the benchmark."""

import sys

from .run import main

if __name__ == "__main__":
    sys.exit(main())
