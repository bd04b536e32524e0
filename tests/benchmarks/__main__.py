"""Lets `python -m tests.benchmarks` run the benchmark."""

import sys

from .run import main

if __name__ == "__main__":
    sys.exit(main())
