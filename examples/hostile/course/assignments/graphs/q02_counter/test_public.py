"""Counter has no public checks."""
