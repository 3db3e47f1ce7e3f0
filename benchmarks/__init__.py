"""Benchmarks: the cost of a submission. Run `python -m benchmarks` or `make bench`."""
