"""The final score: overrides, lateness, and both; the measured points never change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradetape.course import config
from gradetape.errors import ConfigError
from gradetape.grading.late_policy import Timing, apply_late_policy, late_days, timing
from gradetape.grading.times import times_in
from gradetape.records import Override

DEADLINE = datetime(2026, 10, 1, 23, 59, tzinfo=timezone(timedelta(hours=2)))
POLICY = config.LatePolicy(grace_minutes=15, percent_per_day=10, most_percent=50)
MEASURED = {"q01": 3.0, "q02": 1.0}


def handed_in(**after: float) -> Timing:
    return Timing(deadline=DEADLINE, handed_in=DEADLINE + timedelta(**after))


def an_override(question: str, points: float) -> Override:
    return Override(
        student="a", question=question, points=points, reason="why", by="ana", at="2026-10-03T00:00:00+00:00"
    )


@pytest.mark.parametrize(
    ("after", "days", "final"),
    [
        ({"days": -3}, 0, 4.0),
        ({"minutes": 0}, 0, 4.0),
        ({"minutes": 15}, 0, 4.0),
        ({"minutes": 16}, 1, 3.6),
        ({"hours": 24}, 1, 3.6),
        ({"hours": 24, "seconds": 1}, 2, 3.2),
        ({"days": 5}, 5, 2.0),
        ({"days": 400}, 400, 2.0),
    ],
)
def test_each_day_that_has_begun_costs_up_to_the_cap(after: dict[str, float], days: int, final: float) -> None:
    final_score = apply_late_policy(MEASURED, (), handed_in(**after), POLICY)
    assert (final_score.measured, final_score.late_days, final_score.final) == (4, days, final)
    assert bool(final_score.lines) == (after not in ({"days": -3}, {"minutes": 0}))


# The clocks of Berlin went back on 25 October 2026 and forward on 29 March 2026.
@pytest.mark.parametrize(
    ("deadline", "handed", "days"),
    [
        ("2026-10-24T23:59:00+02:00", "2026-10-25T23:58:00+01:00", 1),  # 24 hours and 59 minutes later
        ("2026-10-24T23:59:00+02:00", "2026-10-25T23:59:01+01:00", 2),
        ("2026-03-28T23:59:00+01:00", "2026-03-30T00:00:00+02:00", 2),  # 23 hours and 1 minute later
        ("2026-10-25T02:30:00+02:00", "2026-10-25T02:10:00+01:00", 1),  # the clocks show an earlier time
        ("2026-10-24T21:59:00+00:00", "2026-10-25T22:58:00+00:00", 1),  # the first case, in UTC
        ("2026-10-24T23:59:00+02:00", "2026-10-24T23:59:00+02:00", 0),
    ],
)
def test_a_day_of_the_courses_time_zone_may_have_23_or_25_hours(deadline: str, handed: str, days: int) -> None:
    when = Timing(deadline=datetime.fromisoformat(deadline), handed_in=datetime.fromisoformat(handed))
    assert late_days(when, POLICY.model_copy(update={"grace_minutes": 0.0, "timezone": "Europe/Berlin"})) == days


def test_an_unknown_time_zone_is_refused(tmp_path: Path) -> None:
    (tmp_path / config.FILE).write_text("late: {timezone: Europe/Berln}\n")
    with pytest.raises(ConfigError, match="write the name of a time zone, like Europe/Berlin or America/New_York"):
        config.load(tmp_path / config.FILE)


def test_names_are_the_same_however_their_accents_are_written(tmp_path: Path) -> None:
    decomposed, composed = "Jose\u0301", "Jos\u00e9"
    (tmp_path / config.FILE).write_text(f"late: {{extensions: {{week-1: {{{decomposed}: {DEADLINE.isoformat()}}}}}}}\n")
    assert config.load(tmp_path / config.FILE).late.extensions == {"week-1": {composed: DEADLINE.isoformat()}}
    times = tmp_path / "times.csv"
    times.write_text(f"student,time\n{decomposed},{DEADLINE.isoformat()}\n")
    assert times_in(times, config.LatePolicy()).by_student == {("", composed): DEADLINE}


def test_an_unknown_submission_time_costs_nothing_and_is_reported() -> None:
    final_score = apply_late_policy(MEASURED, (), Timing(deadline=DEADLINE), POLICY)
    assert (final_score.final, final_score.late_days, final_score.handed_in) == (4, None, "")
    assert "is unknown, so there is no penalty" in final_score.lines[0]


def test_without_a_deadline_or_a_policy_there_is_no_explanation() -> None:
    late = DEADLINE + timedelta(days=9)
    assert apply_late_policy(MEASURED, (), Timing(handed_in=late), POLICY).lines == ()
    assert apply_late_policy(MEASURED, (), handed_in(days=9), config.LatePolicy()).lines == ()
    assert apply_late_policy(MEASURED, (), handed_in(days=9), config.LatePolicy()).final == 4


def test_an_extension_takes_the_deadlines_place_for_one_student_in_one_assignment() -> None:
    text = (DEADLINE + timedelta(days=2)).isoformat()
    late = POLICY.model_copy(update={"extensions": {"week-1": {"alice": text}}})
    due = DEADLINE.isoformat()
    handed = DEADLINE + timedelta(days=1, hours=1)
    of = {
        (name, student): late_days(timing(late, name, student, due, handed), late)
        for name in ("week-1", "week-2")
        for student in ("alice", "bob")
    }
    assert of == {("week-1", "alice"): 0, ("week-1", "bob"): 2, ("week-2", "alice"): 2, ("week-2", "bob"): 2}


def test_an_override_takes_the_place_of_a_questions_points_before_lateness_does() -> None:
    final_score = apply_late_policy(MEASURED, [an_override("q02", 2.0)], handed_in(hours=1), POLICY)
    assert (final_score.measured, final_score.final) == (4, 4.5)
    assert final_score.lines[0] == "q02: 2 points instead of 1, set by the course staff: why"


def test_the_newest_override_of_a_question_counts() -> None:
    given = [an_override("q02", 2.0), an_override("q02", 0.5)]
    final_score = apply_late_policy(MEASURED, given, Timing(), POLICY)
    assert (final_score.final, len(final_score.overrides)) == (3.5, 1)


@given(st.floats(-1e4, 1e4), st.floats(0, 100), st.floats(0, 100), st.floats(0, 10_080))
def test_lateness_never_gives_points_and_never_takes_more_than_the_cap(
    hours: float, per_day: float, most: float, grace: float
) -> None:
    policy = config.LatePolicy(grace_minutes=grace, percent_per_day=per_day, most_percent=most)
    final_score = apply_late_policy(MEASURED, (), handed_in(hours=hours), policy)
    assert 4 * (1 - most / 100) - 1e-6 <= final_score.final <= 4
    assert final_score.measured == 4


def test_the_time_zone_counts() -> None:
    same = Timing(deadline=DEADLINE, handed_in=DEADLINE.astimezone(UTC))
    assert late_days(same, POLICY) == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("late:\n  extensions:\n    w:\n      alice: 2026-10-01T23:59:00\n", "line 4: 'late.extensions.w.alice'"),
        ("late:\n  extensions:\n    w:\n      alice: 2026-10-01\n", "ISO time with its zone"),
        ("late:\n  percent_per_day: 101\n", "should be at most 100"),
        ("late:\n  percent: 5\n", "Did you mean 'most_percent'?"),
        ("late:\n  grace_minutes: -1\n", "should be at least 0"),
        ("late:\n  by_file: perhaps\n", "should be true or false"),
    ],
)
def test_a_policy_that_cannot_be_is_refused_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "grader_config.yml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"grader_config\.yml, line \d") as caught:
        config.load(path)
    assert words in str(caught.value)
