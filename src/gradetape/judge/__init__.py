"""The judge: pytest, with fixtures that reach beyond the wall."""
