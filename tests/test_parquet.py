"""The table of grades as Parquet, with types; a clear error where the library is missing."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gradetape.records import FinalScore, Unreadable
from tests.books import recorded
from tests.course import called
from tests.factories import FORMULA, a_tiny_grade


def test_parquet_has_the_columns_and_types_of_the_table(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="gradetape[parquet] is not installed")
    broken = Unreadable(student="bob", file="bob.pdf", sha256="", reason="It is a PDF.")
    course = recorded(tmp_path, a_tiny_grade("alice"), a_tiny_grade(FORMULA), unreadable=(broken,))
    (course / "times.csv").write_text("student,time\nalice,2026-10-01T23:59:00+02:00\n")
    with (course / "grader_config.yml").open("a") as file:
        file.write("late:\n  times: times.csv\n")
    quoted = FORMULA.replace('"', '""')
    (course / "roster.csv").write_text(f'name,id\nalice,u1\nbob,u2\nzoe,u3\n"{quoted}",u4\n')
    run = called(course, "export", "parquet", "--out", "grades.parquet", "--roster", "roster.csv")
    assert run.returncode == 0, run.stderr
    table = parquet.read_table(course / "grades.parquet")
    rows = {row["student"]: row for row in table.to_pylist()}
    alice = rows["alice"]
    assert (alice["points"], alice["q01_double"], alice["final"]) == (3.0, 3.0, 3.0)
    assert alice["handed_in"] == datetime(2026, 10, 1, 21, 59, tzinfo=UTC)
    assert (rows["bob"]["points"], rows["bob"]["final"], rows["zoe"]["final"]) == (None, None, None)
    assert rows["zoe"]["status"] == "no_submission" and FORMULA in rows
    assert {field.name: str(field.type) for field in table.schema}["late_days"] == "int64"
    assert FinalScore(measured=1, final=1).late_days is None


def test_without_the_library_the_command_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    run = called(recorded(tmp_path, a_tiny_grade("alice")), "export", "parquet", "--out", "grades.parquet")
    assert run.returncode == 2 and not (tmp_path / "course" / "grades.parquet").exists()
    assert "Parquet needs the Python package pyarrow, which is not installed. Install it with: pip" in run.stderr
