"""Moodle's grading worksheet: View all submissions, Download grading worksheet.

Moodle writes the headers in the language of whoever downloads it, and numbers with the decimal mark of that language.
An assignment that is graded by a scale has no column of maximum grades.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gradetape.exports.platform import GradePlatform, PersonColumns, PointsColumn, place_of

_IDENTIFIER = ("Identifier", "ID", "Identificador")
_GRADE = ("Grade", "Bewertung", "Calificación", "Qualificació")
_MAXIMUM = ("Maximum Grade", "Bestwertung", "Calificación máxima", "Qualificació màxima")
_COMMENTS = ("Feedback comments", "Feedback als Kommentar", "Comentarios de retroalimentación")
# One number, with the word for a participant around it: in any language, and in any script.
_NUMBER = re.compile(r"\D*(\d+)\D*")


def points_columns(rows: Sequence[Sequence[str]]) -> Iterator[PointsColumn]:
    """The grade, with the comments for students if the assignment has them."""
    place, most = place_of(rows[0], _GRADE), place_of(rows[0], _MAXIMUM)
    if place is not None and most is not None:
        header = rows[0][place]
        yield PointsColumn(place, header, header, maximum_at=most, comment_at=place_of(rows[0], _COMMENTS), only=True)


def ids(identifier: str) -> tuple[str, ...]:
    """The number in `Participant 12345`, as in the names of downloaded files, and the text itself."""
    found = _NUMBER.fullmatch(identifier)
    return (str(int(found[1])), identifier) if found else (identifier,)


MOODLE = GradePlatform(
    title="Moodle",
    file="the grading worksheet (View all submissions, Download grading worksheet)",
    layout="moodle",
    required=(_IDENTIFIER, _GRADE, _MAXIMUM),
    columns=PersonColumns(
        own_ids=(_IDENTIFIER,),
        student_ids=(("ID number", "ID-Nummer", "Número de ID"),),
        logins=(("Username", "Anmeldename", "Nombre de usuario"),),
        emails=(("Email address", "E-Mail-Adresse", "Dirección de correo", "Adreça electrònica"),),
        full_name=("Full name", "Vollständiger Name", "Nombre completo", "Nom complet"),
    ),
    points=points_columns,
    own_ids_of=ids,
)
