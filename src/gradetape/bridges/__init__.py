"""Autograders for Gradescope and otter: our judge runs there, behind our sandbox.

`bundle` writes the zip. In it are the assignment's part of the course and what the platform calls: for Gradescope a
script that runs `gradescope`, for otter the plugin in `otter_plugin`. Both let `judging` grade the submission as
`gradetape grade` does. The student's code runs in our workers and nowhere else; under otter an empty notebook takes the
submission's place.
"""
