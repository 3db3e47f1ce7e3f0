"""What a submission costs: `python -m benchmarks`, or `make bench`."""
