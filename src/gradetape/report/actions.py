"""The forms on pages of the desk. Pages in a folder have none."""

from __future__ import annotations

import msgspec


class Actions(msgspec.Struct, frozen=True):
    """What the forms of a page need: the page's token, which can be used once, and the assignment's folder name.

    `hidden`: the page has pseudonyms instead of the students' names.
    """

    token: str
    folder: str
    hidden: bool = False

    def to(self, action: str) -> str:
        """The address to which a form is sent."""
        return f"/act/{self.folder}/{action}"
