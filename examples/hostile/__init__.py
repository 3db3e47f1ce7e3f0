"""Hostile submissions: attacks that a grader has to withstand, and the command that tests it.

`attacks/` holds the code of each attack, `parts/` code that several of them begin with, `bases/` the answers that it is
combined with; `generate.py` creates the files that are too big or too dangerous to store, and `manifest.yml` describes
each attack and its required result. All of them are graded in one batch, in the course in `course/`, together with
honest submissions: `python -m examples.hostile`.
"""
