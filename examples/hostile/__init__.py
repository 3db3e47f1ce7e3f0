"""Submissions of attackers: what a grader must withstand, and the command that shows that it does.

`attacks/` holds the code of each attack, `bases/` the answers that it comes with; `generate.py` makes the files that
are too big or too dangerous to keep, and `manifest.yml` says what each tries and how it must end. All of it is graded
in one batch, in the course in `course/`, with honest submissions in between: `python -m examples.hostile`.
"""
