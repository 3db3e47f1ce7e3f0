"""Files of grades as platforms export them, with the same three students: one column of points, empty or with a value.

`{0}`, `{1}` and `{2}` are the points of Jane Doe, of the student with a name in decomposed characters, and of one who
handed in nothing; `{3}` and `{4}` are the comments of the first two where the platform has them.
"""

from __future__ import annotations

import codecs
from typing import NamedTuple

from gradetape.records import Origin

JOSE = "Jose\u0301 N\u0303unez"


class ExportedFile(NamedTuple):
    """A platform's file: its text, how it is encoded, what the platform says of the first student, and the maximum."""

    text: str
    origin: Origin
    encoding: str = "utf-8"
    mark: bytes = b""

    def filled(self, *values: str) -> bytes:
        """The bytes of the file with these values."""
        texts = (*values, *[""] * (5 - len(values)))
        return self.mark + self.text.format(*texts).encode(self.encoding)


CANVAS = ExportedFile(
    "Student,ID,SIS User ID,SIS Login ID,Section,Homework 1 (901),Homework 2 (902),Current Score,Final Score\r\n"
    ",,,,,Manual Posting,,,\r\n"
    "    Points Possible,,,,,11.00,10.00,(read only),(read only)\r\n"
    '"Doe, Jane",12345,S1,jdoe,"A, ""the first""",{0},7.50,50,40\r\n'
    f'"Ñunez, {JOSE.split()[0]}",12346,S2,jose,B,{{1}},,,\r\n'
    '"Roe, Ann",12347,S3,roe,"A\n(evening)",{2},EX,,\r\n'
    '"Student, Test",12348,,4d1f,A,,,,\r\n',
    Origin(layout="canvas", id="12345"),
    mark=codecs.BOM_UTF8,
)
CANVAS_SEMICOLONS = ExportedFile(
    "LastName;FirstName;ID;SIS Login ID;Section;Homework 1 (901);Current Score\n"
    "    Points Possible;;;;;11,00;(read only)\n"
    "Doe;Jane;12345;jdoe@example.org;A;{0};\n"
    f"Ñunez;{JOSE.split()[0]};12346;jose@example.org;A;{{1}};\n"
    "Roe;Ann;12347;roe@example.org;A;{2};\n",
    Origin(layout="canvas", id="12345"),
)
MOODLE = ExportedFile(
    'Identifier,"Full name","ID number","Email address",Status,Grade,"Maximum Grade","Grade can be changed",'
    '"Last modified (submission)","Online text","Last modified (grade)","Feedback comments"\n'
    '"Participant 4711","Jane Doe",S1,jane@example.org,"Submitted for grading",{0},11.00,Yes,'
    '"Monday, 5 October 2026, 10:00 AM","one\n""two""",-,{3}\n'
    f'"Participant 4712","{JOSE}",S2,jose@example.org,"Submitted for grading",{{1}},11.00,Yes,-,"",-,{{4}}\n'
    '"Participant 4713","Ann Roe",S3,ann@example.org,"No submission",{2},11.00,Yes,-,"",-,\n',
    Origin(layout="moodle", id="4711"),
)
MOODLE_GERMAN = ExportedFile(
    "ID,Vollständiger Name,ID-Nummer,E-Mail-Adresse,Status,Bewertung,Bestwertung,Bewertung kann geändert werden,"
    "Zuletzt geändert (Abgabe),Zuletzt geändert (Bewertung),Feedback als Kommentar\n"
    'Teilnehmer/in4711,Jane Doe,S1,jane@example.org,Zur Bewertung abgegeben,{0},"11,00",Ja,'
    '"Mittwoch, 13. März 2026, 19:59",-,{3}\n'
    f'Teilnehmer/in4712,{JOSE},S2,jose@example.org,Zur Bewertung abgegeben,{{1}},"11,00",Ja,-,-,{{4}}\n'
    'Teilnehmer/in4713,Ann Roe,S3,ann@example.org,Keine Abgabe,{2},"11,00",Ja,-,-,\n',
    Origin(layout="moodle", id="4711"),
)
GRADESCOPE = ExportedFile(
    "First Name,Last Name,SID,Email,Sections,Total Score,Max Points,Status,Submission ID,Submission Time,"
    "Lateness (H:M:S),View Count,Submission Count,1: First (5.0 pts),2: Second (6.0 pts)\n"
    "Jane,Doe,S1,jane@example.org,A,{0},11.0,Ungraded,340000001,2026-10-05 10:00:00 -0700,00:00:00,0,1,,\n"
    f"{JOSE.split()[0]},Ñunez,S2,jose@example.org,A,{{1}},11.0,Ungraded,340000002,,00:00:00,0,1,,\n"
    "Ann,Roe,S3,ann@example.org,A,{2},,Missing,,,,,,,\n",
    Origin(layout="gradescope", email="jane@example.org"),
)
GRADESCOPE_COURSE = ExportedFile(
    "Name,SID,Email,Homework 1,Homework 1 - Max Points,Homework 1 - Submission Time,Homework 2,"
    "Homework 2 - Max Points\n"
    "Jane Doe,S1,jane@example.org,{0},11.0,,,10.0\n"
    f"{JOSE},S2,jose@example.org,{{1}},11.0,,,10.0\n"
    "Ann Roe,S3,ann@example.org,{2},11.0,,,10.0\n",
    Origin(layout="gradescope", id="S1"),
)
BLACKBOARD = ExportedFile(
    '"Last Name"\t"First Name"\t"Username"\t"Student ID"\t"Last Access"\t"Availability"\t'
    '"Total [Total Pts: up to 21 Score] |900"\t"Homework 1 [Total Pts: 11 Score] |901"\t'
    '"Notes [Total Pts: 0 Text] |902"\n'
    '"Doe"\t"Jane"\t"jdoe"\t"S1"\t"2026-10-05 10:00:00"\t"Yes"\t"0"\t"{0}"\t"a\tb"\n'
    f'"Ñunez"\t"{JOSE.split()[0]}"\t"jose"\t"S2"\t""\t"Yes"\t""\t"{{1}}"\t""\n'
    '"Roe"\t"Ann"\t"roe"\t"S3"\t""\t"Yes"\t""\t"{2}"\t""\n',
    Origin(layout="blackboard", login="jdoe"),
    encoding="utf-16-le",
    mark=codecs.BOM_UTF16_LE,
)
BLACKBOARD_COMMAS = ExportedFile(
    '"Last Name","First Name","Username","Student ID","Homework 1 [Total Pts: 11 Score] |901"\r\n'
    '"Doe","Jane","jdoe","S1","{0}"\r\n'
    f'"Ñunez","{JOSE.split()[0]}","jose","S2","{{1}}"\r\n'
    '"Roe","Ann","roe","S3","{2}"\r\n',
    Origin(layout="blackboard", login="JDoe"),
    mark=codecs.BOM_UTF8,
)
BRIGHTSPACE = ExportedFile(
    "OrgDefinedId,Username,Last Name,First Name,Email,"
    "Homework 1 Points Grade <Numeric MaxPoints:11 Weight:5 Category:Homework CategoryWeight:20>,"
    "Calculated Final Grade Numerator,End-of-Line Indicator\r\n"
    "#S1,#jdoe,Doe,Jane,jane@example.org,{0},,#\r\n"
    f"#S2,#jose,Ñunez,{JOSE.split()[0]},jose@example.org,{{1}},,#\r\n"
    "#S3,#roe,Roe,Ann,ann@example.org,{2},,#\r\n",
    Origin(layout="brightspace", id="10001"),
)
GOOGLE_CLASSROOM = ExportedFile(
    "Last Name,First Name,Email Address,Homework 1,Homework 2\n"
    "Date,,,2026-10-05,\n"
    "Points,,,11,10\n"
    "Doe,Jane,jane@example.org,{0},\n"
    f"Ñunez,{JOSE.split()[0]},jose@example.org,{{1}},\n"
    "Roe,Ann,ann@example.org,{2},\n",
    Origin(layout="google", email="Jane@Example.org"),
)
# Each file with the command that fills it.
FILES = (
    ("canvas", CANVAS), ("canvas", CANVAS_SEMICOLONS), ("moodle", MOODLE), ("moodle", MOODLE_GERMAN),
    ("gradescope", GRADESCOPE), ("gradescope", GRADESCOPE_COURSE), ("blackboard", BLACKBOARD),
    ("blackboard", BLACKBOARD_COMMAS), ("brightspace", BRIGHTSPACE), ("google-classroom", GOOGLE_CLASSROOM),
)  # fmt: skip
