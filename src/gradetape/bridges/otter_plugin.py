"""An otter plugin that grades with our judge instead of otter's.

Before otter starts a kernel, the plugin grades the submission and then empties its folder: an empty notebook takes its
place, so that otter runs nothing of the student's, imports nothing from the folder and reads no log from it (a log is a
pickle). Each check becomes a test file of otter's, with one test case.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import nbformat
from otter.plugins import AbstractOtterPlugin
from otter.test_files import GradingResults, TestCase
from otter.test_files.abstract_test import TestCaseResult
from otter.test_files.ottr_test import OttrTestFile

from gradetape import tempdirs
from gradetape.bridges.bundle import COURSE
from gradetape.bridges.judging import graded
from gradetape.bridges.results import FAULT, document, name_of, text_of
from gradetape.records import CheckResult, Grade, Unreadable, Verdict

_OTTERS = frozenset({"tests", "__init__.py", COURSE})


class GradetapePlugin(AbstractOtterPlugin):  # type: ignore[misc]
    """Grades before otter does, and replaces its results. After an exception, otter would write no results at all."""

    def __init__(self, submission_path: str | None, submission_metadata: Any, plugin_config: Any) -> None:
        super().__init__(submission_path, submission_metadata, plugin_config)
        self._outcome: Grade | Unreadable | Exception = RuntimeError("otter did not call before_grading")

    def before_grading(self, config: Any) -> None:
        """Grades the submission, and empties its folder."""
        path = Path(self.submission_path)
        try:
            with tempdirs.folder("gradetape-otter-") as folder:
                with zipfile.ZipFile(path.parents[1] / "source" / "files" / COURSE) as course:
                    course.extractall(folder)
                self._outcome = graded(folder, [file for file in path.parent.iterdir() if file.name not in _OTTERS])
        except Exception as error:
            self._outcome = error
        _empty(path)

    def before_execution(self, submission: Any) -> Any:
        """A notebook without cells, whatever was handed in."""
        return _nothing()

    def after_grading(self, results: GradingResults) -> None:
        """A test file for each check."""
        results.clear_results()
        results.set_output(document(self._outcome)["output"])
        if isinstance(self._outcome, Grade):
            in_order = sorted(self._outcome.results, key=lambda result: not result.check.public)
            results.results = {result.check.id: _test_file(self._outcome, result) for result in in_order}
        elif isinstance(self._outcome, Exception):
            results._catastrophic_error = RuntimeError(f"{FAULT} {self._outcome}")


class OtterCheckFile(OttrTestFile):  # type: ignore[misc]
    """A check as otter's results have it; otter prints the summary of what is public to students at once."""

    def summary(self, public_only: bool = False) -> str:
        """Nothing of a hidden check, not even that it is passed."""
        return "" if public_only and not self.all_public else str(super().summary(public_only=public_only))


def _empty(path: Path) -> None:
    for entry in path.parent.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    path.write_text("" if path.suffix == ".py" else json.dumps(_nothing()), encoding="utf-8")


def _nothing() -> Any:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(metadata={"kernelspec": kernel})  # type: ignore[no-untyped-call]


def _test_file(grade: Grade, result: CheckResult) -> OtterCheckFile:
    case = TestCase(
        name=name_of(grade, result), body="", hidden=not result.check.public, points=result.check.points,
        success_message=None, failure_message=None,
    )  # fmt: skip
    file = OtterCheckFile(name_of(grade, result), "", [case], all_or_nothing=False)
    passed = result.verdict is Verdict.PASSED
    file.test_case_results = [TestCaseResult(test_case=case, message=text_of(result), passed=passed)]
    file.update_score(round(result.points, 6))
    return file
