"""The host's side of grading: starts zygotes on this machine or in containers, and assigns them slots and devices."""
