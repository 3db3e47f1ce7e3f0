"""An older gradebook is migrated, and a copy of it is kept; a newer one is refused and not changed."""

from __future__ import annotations

import multiprocessing
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gradetape.errors import GradebookError
from gradetape.gradebook import Gradebook
from tests.books import attempts, engine_of
from tests.factories import ASSIGNMENT, a_stored_broken_file, a_stored_fault, a_stored_grade

OLD = Path(__file__).parent / "gradebooks"


@pytest.fixture
def oldest(tmp_path: Path) -> Path:
    """A gradebook as the first version wrote it."""
    return written(tmp_path, 1)


def written(folder: Path, layout: int) -> Path:
    """A gradebook with this layout."""
    path = folder / "gradebook.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((OLD / f"layout-{layout}.sql").read_text(encoding="utf-8"))
    return path


def tables(path: str | Path) -> dict[str, list[str]]:
    """Every table with its columns."""
    engine = engine_of(str(path))
    found = sa.inspect(engine)
    columns = {name: sorted(str(column["name"]) for column in found.get_columns(name))
               for name in found.get_table_names()}  # fmt: skip
    engine.dispose()
    return columns


def rows(path: Path) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT * FROM attempts ORDER BY id").fetchall()


@pytest.mark.parametrize("layout", [1, 2, 3, 4, 5])
def test_an_older_layout_is_brought_up_to_date_with_everything_in_it(layout: int, tmp_path: Path) -> None:
    oldest = written(tmp_path, layout)
    with Gradebook.open(oldest) as book:
        assert f"from layout {layout} to layout 6" in book.migrated
        assert [attempt.record for attempt in attempts(book, ASSIGNMENT, "alice")] == [
            a_stored_fault(),
            a_stored_grade(),
        ]
        assert book.latest(ASSIGNMENT) == [a_stored_grade()]
        assert book.unreadable(ASSIGNMENT) == [a_stored_broken_file("bob")]
        assert book.record(a_stored_grade("carol"), ASSIGNMENT)
        assert [override.reason for override in book.overrides(ASSIGNMENT)] == (["typo"] if layout > 1 else [])
        assert book.composition(ASSIGNMENT) == {}
    Gradebook.open(tmp_path / "new.sqlite").close()
    assert tables(oldest) == tables(tmp_path / "new.sqlite")
    with Gradebook.open(oldest) as book:
        assert book.migrated == ""


def test_what_was_there_before_a_migration_is_kept(oldest: Path) -> None:
    before = rows(oldest)
    with Gradebook.open(oldest) as book:
        book.record(a_stored_grade("carol"), ASSIGNMENT)
    kept = oldest.with_name("gradebook.sqlite.schema-1.bak")
    assert rows(kept) == before
    assert "claims" not in tables(kept)

    first = kept.read_bytes()
    oldest.write_bytes(first)
    Gradebook.open(oldest).close()
    assert kept.read_bytes() == first
    assert rows(oldest.with_name("gradebook.sqlite.schema-1.2.bak")) == before


def open_in_a_process(path: str, start: Any, queue: Any) -> None:
    start.wait()
    with Gradebook.open(path) as book:
        queue.put(book.migrated)


def test_of_several_that_open_an_old_gradebook_at_once_one_migrates_it(oldest: Path) -> None:
    context = multiprocessing.get_context("spawn")
    start, queue = context.Barrier(3), context.Queue()
    openers = [context.Process(target=open_in_a_process, args=(str(oldest), start, queue)) for _ in range(3)]
    for opener in openers:
        opener.start()
    messages = [queue.get(timeout=60) for _ in openers]
    for opener in openers:
        opener.join()
    assert sorted(bool(words) for words in messages) == [False, False, True]
    assert len(list(oldest.parent.glob("*.bak"))) == 1


def test_a_migration_that_cannot_make_its_copy_changes_nothing(oldest: Path) -> None:
    with closing(sqlite3.connect(oldest)) as connection:
        connection.execute("UPDATE attempts SET record = record || ?", [" " * 200_000])
        connection.commit()
    with files_up_to(100_000), pytest.raises(GradebookError, match=r"copied to .* failed"):
        Gradebook.open(oldest)
    assert "claims" not in tables(oldest)
    assert len(rows(oldest)) == 3
    assert [path.name for path in oldest.parent.iterdir()] == ["gradebook.sqlite"]
    with Gradebook.open(oldest) as book:
        assert "from layout 1 to layout 6" in book.migrated


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """As on a disk with little space."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_database_on_a_server_is_migrated_too(place: str) -> None:
    with Gradebook.open(place) as book:
        book.record(a_stored_grade(), ASSIGNMENT)
    engine = engine_of(place)
    with engine.begin() as connection:
        for table in ("attempt_questions", "question_results", "runs", "claims", "overrides"):
            connection.execute(sa.text(f"DROP TABLE {table}"))
        connection.execute(sa.text("UPDATE meta SET value = '1'"))
    engine.dispose()
    with Gradebook.open(place) as book:
        assert ("No copy was made" in book.migrated) == ("://" in place)
        assert book.latest(ASSIGNMENT) == [a_stored_grade()]
    assert {"claims", "overrides", "question_results", "runs", "attempt_questions"} <= tables(place).keys()


@pytest.mark.parametrize("layout", ["999", "unheard of"])
def test_a_newer_gradebook_is_refused_and_left_alone(tmp_path: Path, layout: str) -> None:
    path = tmp_path / "gradebook.sqlite"
    Gradebook.open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE meta SET value = ?", [layout])
        connection.commit()
    with pytest.raises(GradebookError, match=rf"newer version.*{layout}.*Update gradetape.*--out"):
        Gradebook.open(path)
    assert list(tmp_path.glob("*.bak")) == []
