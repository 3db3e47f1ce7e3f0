"""A platform's own file of grades is filled: one column, the right rows, and every other byte as it was."""

from __future__ import annotations

import codecs
import csv
import io
import random
import unicodedata
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradetape.errors import RequestError
from gradetape.exports import COMMENT_MARK, PLATFORMS, ExportedScore, FilledFile, FillRequest, fill
from gradetape.exports.fields import EncodedText, FieldTable
from gradetape.records import Origin
from tests import platform_files
from tests.platform_files import BLACKBOARD, CANVAS, FILES, JOSE, MOODLE, ExportedFile

COMMENT = f'{COMMENT_MARK}<p>He said "no", twice</p></div>'
IDS = [f"{name}-{number}" for number, (name, _) in enumerate(FILES)]
MORE = {"text": 'n"1,2;3\t4\r\n5', "nothing": "", "quoted": '"q"'}


def a_score(student: str = "Jane Doe", points: float | None = 8.5, **more: object) -> ExportedScore:
    return msgspec.convert({"student": student, "points": points, **more}, ExportedScore)


def a_request(*scores: ExportedScore, **more: object) -> FillRequest:
    given: dict[str, object] = {"name": "g.csv", "titles": ("Homework 1", "homework-1"), "max_points": 11.0}
    return FillRequest(**{**given, "scores": scores, **more})  # type: ignore[arg-type]


def filled(name: str, content: bytes, *scores: ExportedScore, **more: object) -> FilledFile:
    return fill(PLATFORMS[name], content, a_request(*scores, **more))


def refusal(name: str, content: bytes, *scores: ExportedScore, **more: object) -> str:
    with pytest.raises(RequestError) as error:
        filled(name, content, *scores, **more)
    return str(error.value)


def both(file: ExportedFile) -> tuple[ExportedScore, ExportedScore]:
    """The first student by what the platform says, the second by a name in composed characters."""
    jane = ExportedScore(student="somebody", origin=file.origin, points=8.5, comment=COMMENT)
    jose = ExportedScore(student=unicodedata.normalize("NFC", JOSE), points=11.0, comment=COMMENT)
    return (jane if file.origin.layout != "brightspace" else msgspec.structs.replace(jane, student="Jane Doe")), jose


# Round trips


@pytest.mark.parametrize(("name", "file"), FILES, ids=IDS)
def test_one_column_is_filled_and_every_other_byte_stays(name: str, file: ExportedFile) -> None:
    comma = file in (platform_files.CANVAS_SEMICOLONS, platform_files.MOODLE_GERMAN)
    points = "8,5" if comma else "8.5"
    points = f'"{points}"' if comma and name == "moodle" else points
    comments = ['"' + COMMENT.replace('"', '""') + '"'] * 2
    found = filled(name, file.filled(), *both(file))
    assert found.content == file.filled(points, "11", "", *comments)
    assert (len(found.points), len(found.comments)) == (2, 2 if name == "moodle" else 0)
    assert [note.partition(":")[0] for note in found.notes][:1] == ["no result"]


@pytest.mark.parametrize(("name", "file"), FILES, ids=IDS)
def test_what_is_there_already_is_replaced_and_the_same_number_stays_as_it_is_written(
    name: str, file: ExportedFile
) -> None:
    found = filled(name, file.filled("1.00", "11.00", "3.00"), *both(file))
    assert [(change.before, change.after) for change in found.points] == [("1.00", found.points[0].after)]
    again = filled(name, found.content, *both(file))
    assert (again.content, again.points, again.comments) == (found.content, (), ())


@pytest.mark.parametrize(("name", "file"), FILES, ids=IDS)
def test_the_file_of_one_platform_is_refused_by_every_other_command(name: str, file: ExportedFile) -> None:
    for other in PLATFORMS:
        if other != name:
            text = refusal(other, file.filled(), *both(file))
            assert f"file of grades. Fill it with: gradetape export {name}" in text or "has no column of points" in text


FIELD = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=6) | st.sampled_from(
    list(MORE.values())
)


@given(
    rows=st.lists(st.lists(st.tuples(FIELD, st.booleans()), min_size=1, max_size=4), max_size=4),
    separator=st.sampled_from(",;\t"),
    ends=st.sampled_from(["\r\n", "\n", "\r"]),
    mark=st.sampled_from([b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE]),
    last=st.booleans(),
    value=FIELD,
    data=st.data(),
)
def test_any_field_of_any_table_can_be_replaced_alone(
    rows: list[list[tuple[str, bool]]],
    separator: str,
    ends: str,
    mark: bytes,
    last: bool,
    value: str,
    data: st.DataObject,
) -> None:
    """The fields are those that Python's own reader finds, and the bytes around a new value are the old ones."""

    def written(text: str, quoted: bool) -> str:
        quoted = quoted or any(each in text for each in f'{separator}"\r\n')
        return '"' + text.replace('"', '""') + '"' if quoted else text

    texts = [[written(*field) for field in row] for row in rows]
    encoding = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}.get(mark, "utf-8")
    end = ends if last or (texts and texts[-1] == [""]) else ""

    def content() -> bytes:
        return mark + (ends.join(separator.join(row) for row in texts) + (end if texts else "")).encode(encoding)

    table = FieldTable.of(EncodedText.of(content(), "f"), separator, "f")
    assert table.values == [[text for text, _ in row] for row in rows]
    own = list(csv.reader(io.StringIO(table.source.text, newline=""), delimiter=separator))
    assert [row or [""] for row in own] == table.values
    assert table.with_values({}) == content()
    if rows:
        row = data.draw(st.integers(0, len(rows) - 1))
        place = data.draw(st.integers(0, len(rows[row]) - 1))
        replaced = table.with_values({(row, place): value})
        texts[row][place] = written(value, texts[row][place].startswith('"'))
        assert replaced == content()


@pytest.mark.parametrize("text", ['a,b\n"c,d\n', 'a,b\n"c"d,e\n', 'a,"b\n'])
def test_unbalanced_quotes_are_refused_with_the_row(text: str) -> None:
    with pytest.raises(RequestError, match=r"f, row [12]: a quote is not closed, or text follows it"):
        FieldTable.of(EncodedText.of(text.encode(), "f"), ",", "f")


@pytest.mark.parametrize("content", [b"Student,ID,Section\n\xff\xfe", b"PK\x03\x04\x00", "a".encode("utf-16")[:-1]])
def test_a_file_that_is_no_text_is_refused_with_the_next_step(content: bytes) -> None:
    text = refusal("canvas", content)
    assert "g.csv is neither UTF-8 nor UTF-16 text. Download it again" in text


# Which column


def test_a_file_of_no_platform_is_refused_with_how_to_download_one() -> None:
    text = refusal("moodle", b"student,points\nJane,1\n", a_score())
    assert "g.csv is not Moodle's file of grades: its first row has no columns Identifier, Grade, Maximum Grade" in text
    assert "Download the grading worksheet" in text and "in English if the headers" in text


def test_the_assignments_column_is_found_by_its_title_or_its_name() -> None:
    for titles in (("HOMEWORK 1", "x"), ("x", "homework-1")):
        assert filled("canvas", CANVAS.filled(), *both(CANVAS), titles=titles).column == "Homework 1 (901)"


def test_a_title_with_other_words_or_with_none_is_another_column() -> None:
    """Homework 1.1 is not Homework 11, and two titles without words are not the same."""
    content = CANVAS.filled().replace(b"Homework 1 (901)", b"Homework 1.1 (901)")
    assert "No column has the title 'Homework 11'" in refusal("canvas", content, titles=("Homework 11", "h11"))
    assert filled("canvas", content, titles=("x", "homework_1-1")).column == "Homework 1.1 (901)"
    content = CANVAS.filled().replace(b"Homework 1 (901)", b"?! (901)")
    assert "No column has the title '!'" in refusal("canvas", content, titles=("!", "-"))


def test_an_unknown_column_is_refused_with_those_that_exist() -> None:
    text = refusal("canvas", CANVAS.filled(), *both(CANVAS), titles=("Lab", "lab"))
    assert "No column has the title 'Lab'. Choose one with --column: 'Homework 1 (901)', 'Homework 2 (902)'" in text
    text = refusal("canvas", CANVAS.filled(), *both(CANVAS), column="Current Score")
    assert "No column has --column 'Current Score'" in text


def test_a_column_can_be_chosen_by_its_title_or_its_whole_header() -> None:
    jose = a_score(JOSE, 3.0)
    for column in ("Homework 2", "homework 2 (902)", "902"):
        assert filled("canvas", CANVAS.filled(), jose, column=column).column == "Homework 2 (902)"


def test_of_two_columns_with_the_title_one_must_be_chosen() -> None:
    content = CANVAS.filled().replace(b"Homework 2 (902)", b"Homework 1 (902)")
    text = refusal("canvas", content, *both(CANVAS))
    assert "Several columns have the title 'Homework 1'" in text and "'Homework 1 (902)'" in text
    assert filled("canvas", content, a_score(JOSE, 3.0), column="Homework 1 (902)").column == "Homework 1 (902)"


def test_a_file_without_points_is_refused_with_how_to_download_one() -> None:
    text = refusal("blackboard", b"Username,Student ID\njdoe,S1\n", a_score("jdoe"))
    assert "g.csv has no column of points. Download the Grade Center" in text


def test_what_canvas_computes_is_no_column_of_points() -> None:
    content = CANVAS.filled().replace(b"Current Score", b"Current Score (2026)")
    text = refusal("canvas", content, *both(CANVAS), column="x")
    assert text.endswith("'Homework 1 (901)', 'Homework 2 (902)'")


# Which row


def test_an_id_of_the_platform_comes_before_a_name() -> None:
    """Two people of one name, told apart by the platform's ids."""
    content = CANVAS.filled().replace(b'"Roe, Ann"', b'"Doe, Jane"')
    two = [
        a_score("Jane Doe", 1.0, origin=Origin(layout="canvas", id="12347")),
        a_score("Jane Doe 2", 2.0, origin=CANVAS.origin),
    ]
    assert [(change.row.number, change.after) for change in filled("canvas", content, *two).points] == [
        (6, "1"),
        (4, "2"),
    ]


def test_a_name_that_two_rows_or_two_students_have_decides_nothing() -> None:
    content = CANVAS.filled().replace(b'"Roe, Ann"', b'"Doe, Jane"')
    assert "Jane Doe has 8.5 points: rows 4, 6 could be meant" in refusal("canvas", content, a_score())
    text = refusal("canvas", CANVAS.filled(), a_score(), a_score(origin=Origin(layout="moodle", id="1")))
    assert text.count("row 4 has the same name, but several students have that name") == 2


def test_a_name_does_not_count_against_another_id_or_email() -> None:
    other = a_score(origin=Origin(layout="canvas", id="999"))
    assert "row 4 has the same name, but its id or email is another one" in refusal("canvas", CANVAS.filled(), other)
    other = a_score(origin=Origin(layout="gradescope", email="jane.doe@example.org"))
    assert "its id or email is another one" in refusal("moodle", MOODLE.filled(), other)


def test_an_id_of_another_platform_is_no_id_of_this_one() -> None:
    """Canvas numbers people as Moodle numbers participants; the same number is two people."""
    stranger = a_score("Eve", origin=Origin(layout="moodle", id="12345"))
    assert "Eve has 8.5 points: no row has this id, login, email or name" in refusal(
        "canvas", CANVAS.filled(), stranger
    )
    known = a_score("Jane", origin=Origin(layout="gradescope", id="S1"))
    assert filled("canvas", CANVAS.filled(), known).points[0].row.number == 4


def test_a_login_of_github_is_no_login_of_the_university() -> None:
    """The jdoe of GitHub may be anybody."""
    stranger = a_score("jdoe", origin=Origin(layout="github", login="jdoe"))
    assert "jdoe has 8.5 points: no row has this id" in refusal("canvas", CANVAS.filled(), stranger)
    known = a_score("Jane Doe", origin=Origin(layout="github", login="jd-2004"))
    assert filled("canvas", CANVAS.filled(), known).points[0].row.number == 4
    hub = a_score("x", origin=Origin(layout="jupyterhub", login="jdoe"))
    assert filled("canvas", CANVAS.filled(), hub).points[0].row.number == 4


@pytest.mark.parametrize("student", ["12345", "S1", "JDOE", "doejane", "Doe, Jane", "Jane  Doe"])
def test_a_name_in_the_gradebook_may_be_an_identifier_or_a_name_as_the_platform_writes_it(student: str) -> None:
    assert filled("canvas", CANVAS.filled(), a_score(student)).points[0].row.number == 4


def test_an_identifier_of_one_row_and_another_of_another_row_is_ambiguous() -> None:
    two = a_score("x", origin=Origin(layout="", login="jdoe", id="S2"))
    assert "rows 4, 5 could be meant" in refusal("canvas", CANVAS.filled(), two)


def test_participants_without_names_are_recognised_by_their_numbers() -> None:
    blind = b"Identifier,Status,Grade,Maximum Grade\nParticipant 4711,x,,11.00\nParticipant 4712,x,,11.00\n"
    found = filled("moodle", blind, a_score("Participant", origin=MOODLE.origin), a_score("Participant 4712", 2.0))
    assert found.content == blind.replace(b"4711,x,", b"4711,x,8.5").replace(b"4712,x,", b"4712,x,2")


def test_a_row_can_be_named() -> None:
    found = filled("canvas", CANVAS.filled(), a_score("nic\u0327k"), chosen={"ni\u00e7k": "S3"})
    assert [change.row.number for change in found.points] == [6]
    text = refusal("canvas", CANVAS.filled(), a_score("nick"), chosen={"nick": "S9", "x": "S1"}, partial=True)
    assert "--match names 'nick': no row has 'S9'" in text and "--match names 'x': no result" in text


def test_two_students_of_one_row_are_refused() -> None:
    text = refusal("canvas", CANVAS.filled(), a_score("jdoe"), a_score("S1"))
    assert "row 4 would be of several students: jdoe, S1" in text


def test_two_rows_of_one_id_are_refused_with_both_numbers() -> None:
    for old, new in ((b"12347", b"12345"), (b",roe,", b",JDoe,"), (b",S3,", b",s1,")):
        text = refusal("canvas", CANVAS.filled().replace(old, new), a_score())
        assert "rows 4 and 6 are both of '" in text and "download it again" in text


def test_a_student_without_a_row_is_refused_or_left_out() -> None:
    text = refusal("canvas", CANVAS.filled(), a_score(), a_score("Eve"))
    assert "g.csv was not filled:" in text and "leave them out with --partial" in text
    found = filled("canvas", CANVAS.filled(), a_score(), a_score("Eve"), partial=True)
    assert found.content == CANVAS.filled("8.5")
    assert "left out: Eve: no row has this id, login, email or name" in found.notes


def test_nobody_without_final_points_gets_any_and_each_is_listed() -> None:
    carol = a_score("Ann Roe", None, reason="unreadable: It is empty.")
    for before in ("", "4"):
        found = filled("canvas", CANVAS.filled("", "", before), carol, a_score("Eve", None, reason="r"))
        assert (found.content, found.points) == (CANVAS.filled("", "", before), ())
        assert found.notes[:2] == ("left as it is: Ann Roe: unreadable: It is empty.", "left as it is: Eve: r")


def test_rows_for_nobody_are_listed() -> None:
    notes = filled("canvas", CANVAS.filled(), a_score()).notes
    assert "no result: row 7, Student, Test (12348)" in notes and "no result: row 6, Roe, Ann (12347)" in notes


class Person(NamedTuple):
    """Somebody of a class in which names repeat; `known` is how much the gradebook knows of the origin."""

    name: str
    number: int
    known: str
    graded: bool
    listed: bool

    @property
    def score(self) -> ExportedScore:
        """Each person has as many points as the number says, so that a wrong row shows."""
        email = f"p{self.number}@example.org"
        origins = {
            "id": Origin(layout="moodle", id=str(self.number)),
            "login": Origin(layout="blackboard", login=f"l{self.number}"),
            "email": Origin(layout="gradescope", email=email),
            "nothing": None,
        }
        shown = self.name if self.known == "nothing" else f"{self.name} {self.number}"
        return a_score(shown, float(self.number), origin=origins[self.known])


PEOPLE = st.lists(
    st.builds(
        Person,
        name=st.sampled_from(["Jane Doe", "Doe Jane", "Ann Roe", "3", "l2", "Jose\u0301"]),
        number=st.integers(1, 9),
        known=st.sampled_from(["id", "login", "email", "nothing"]),
        graded=st.booleans(),
        listed=st.booleans(),
    ),
    unique_by=lambda person: person.number,
    max_size=8,
)


@given(PEOPLE, st.randoms(use_true_random=False))
def test_nobody_gets_the_points_of_somebody_else(people: list[Person], order: random.Random) -> None:
    """Whoever is known by an id, a login or an email gets their own points or none, whatever the names are."""
    listed = [person for person in people if person.listed]
    order.shuffle(listed)
    rows = "".join(
        f"Participant {person.number},{person.name},l{person.number},p{person.number}@example.org,,10\n"
        for person in listed
    )
    content = f"Identifier,Full name,Username,Email address,Grade,Maximum Grade\n{rows}".encode()
    graded = [person for person in people if person.graded and person.known != "nothing"]
    found = filled("moodle", content, *(person.score for person in graded), partial=True)
    for change in found.points:
        assert listed[change.row.number - 2].number == float(change.after)
    expected = {person.number for person in graded if person.listed}
    assert {float(change.after) for change in found.points} == expected


# What is written


@pytest.mark.parametrize(("name", "file"), FILES, ids=IDS)
def test_more_points_than_the_maximum_are_refused_with_the_row(name: str, file: ExportedFile) -> None:
    text = refusal(name, file.filled(), a_score(JOSE, 11.25))
    assert "11.25 points, more than the maximum, 11" in text and "row " in text


def test_a_maximum_that_is_no_number_is_refused() -> None:
    content = MOODLE.filled().replace(b"11.00", b"Pass")
    assert "row 2, Jane Doe (4711): the maximum 'Pass' is not a number" in refusal("moodle", content, *both(MOODLE))


def test_a_file_without_a_maximum_is_filled() -> None:
    content = b"Student,ID,Section,Homework 1 (901)\nJane Doe,12345,A,\n"
    assert filled("canvas", content, a_score(points=100.0)).content.endswith(b",100\n")


def test_points_are_not_scaled_to_another_maximum_and_staff_are_told() -> None:
    found = filled("canvas", CANVAS.filled(), a_score(), max_points=5.5)
    assert found.points[0].after == "8.5"
    assert found.notes[-1] == "the maximum in the file is 11, that of the assignment 5.5: points are not scaled"


@pytest.mark.parametrize(("points", "text"), [(0.0, "0"), (8.333333, "8.333333"), (10.0, "10"), (0.1 + 0.2, "0.3")])
def test_points_are_written_without_needless_digits(points: float, text: str) -> None:
    assert filled("canvas", CANVAS.filled(), a_score(points=points)).content == CANVAS.filled(text)


def test_who_is_excused_or_not_assigned_stays_so() -> None:
    found = filled("canvas", CANVAS.filled("EX", "N/A"), *both(CANVAS))
    assert (found.content, found.points) == (CANVAS.filled("EX", "N/A"), ())
    assert "left as it is: row 4, Doe, Jane (12345): it is EX, not 8.5" in found.notes


def test_a_comment_of_somebody_else_stays() -> None:
    own = '"<p>See me.</p>"'
    found = filled("moodle", MOODLE.filled("", "", "", own, '"' + COMMENT_MARK.replace('"', '""') + '"'), *both(MOODLE))
    assert [change.row.number for change in found.comments] == [3]
    assert "left as it is: row 2, Jane Doe (4711): the comment is not gradetape's" in found.notes


def test_a_row_without_a_field_for_the_comment_gets_the_points_alone() -> None:
    content = b"Identifier,Grade,Maximum Grade,Feedback comments\nParticipant 4711,,11\n"
    found = filled("moodle", content, both(MOODLE)[0])
    assert (found.content, found.comments) == (content.replace(b",,11", b",8.5,11"), ())


def test_a_row_that_a_comma_has_moved_is_refused() -> None:
    content = CANVAS.filled().replace(b'"Doe, Jane"', b"Doe, Jane")
    assert "row 4 has 10 fields, the first row 9" in refusal("canvas", content, a_score())
    short = CANVAS.filled().replace(b'"Student, Test",12348,,4d1f,A,,,,', b"Eve,12348,,4d1f")
    text = refusal("canvas", short, a_score("Eve"))
    assert "the row ends before the column 'Homework 1 (901)'" in text


def test_many_problems_are_counted() -> None:
    text = refusal("canvas", CANVAS.filled(), *(a_score(f"nobody{number}") for number in range(30)))
    assert len(text.splitlines()) == 23 and "  and 10 more" in text


def test_a_large_class_is_filled() -> None:
    count = 3000
    head = "Student,ID,Section,Homework 1 (901)\n    Points Possible,,,11\n"
    rows = "".join(f"s{number},{number},A,\n" for number in range(1, count))
    scores = [a_score(f"s{number}", origin=Origin(layout="canvas", id=str(number))) for number in range(1, count)]
    assert len(filled("canvas", (head + rows).encode(), *scores).points) == count - 1


def test_blackboards_tabs_stay_in_their_encoding() -> None:
    content = filled("blackboard", BLACKBOARD.filled(), *both(BLACKBOARD)).content
    assert content.startswith(codecs.BOM_UTF16_LE) and '\t"8.5"\t"a\tb"\n' in content.decode("utf-16")


@pytest.mark.parametrize("rows", ["Date,,,2026-10-05\nPoints,,,11\n", ",,,05-Oct-2026\n,,,11\n"])
def test_google_classrooms_points_are_found_with_and_without_the_word(rows: str) -> None:
    content = f"Last Name,First Name,Email Address,Homework 1\n{rows}Doe,Jane,jane@example.org,{{}}\n"
    origin = Origin(layout="google", email="jane@example.org")
    score = ExportedScore(student="Jane Doe", origin=origin, points=12.0)
    request = FillRequest(name="g.csv", scores=(score,), titles=("Homework 1",), max_points=12.0)
    with pytest.raises(RequestError, match="12 points, more than the maximum, 11"):
        fill(PLATFORMS["google-classroom"], content.format("").encode(), request)
    fewer = msgspec.structs.replace(request, scores=(msgspec.structs.replace(score, points=9.0),), max_points=11.0)
    found = fill(PLATFORMS["google-classroom"], content.format("").encode(), fewer)
    assert found.content == content.format("9").encode()
