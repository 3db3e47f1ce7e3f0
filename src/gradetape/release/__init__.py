"""assignments/ -> student/: the folder that students receive, built without the answer key."""

from gradetape.release.build import refuse_unfit, release

__all__ = ["refuse_unfit", "release"]
