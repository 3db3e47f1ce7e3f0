"""Data-only frames between the judge and the far side, and the handles on the judge's side."""
