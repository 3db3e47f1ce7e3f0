"""assignments/ -> student/: the folder that students receive, built without the answer key."""

from gradetape.release.build import refuse_unfit, release
from gradetape.release.links import left_out

__all__ = ["left_out", "refuse_unfit", "release"]
