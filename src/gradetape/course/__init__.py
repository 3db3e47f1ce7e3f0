"""A course on disk: its configuration, its assignments, the answer key, and the author's Python files."""
