"""The layouts of downloads: one recogniser for each platform, all interchangeable.

A recogniser looks at a whole folder. It returns the files that are named as its platform names them, with the person of
each; or None if nothing is. `registry` compares what all of them say: a folder that two of them recognise, or that one
recognises in part, is refused, and never guessed.
"""

from gradetape.intake.layouts.base import Layout, Recognised
from gradetape.intake.layouts.registry import LAYOUTS, Found, find

__all__ = ["LAYOUTS", "Found", "Layout", "Recognised", "find"]
