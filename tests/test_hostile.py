"""Some of the attackers and the honest students in one batch; `make hostile` grades all of them, as two users."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from benchmarks.hostile import NAMES as OTTERS
from examples.hostile.corpus import HERE, entries, manifest
from examples.hostile.delegation import without_namespaces
from examples.hostile.findings import Run, Secrets, of_batch
from examples.hostile.generate import MAKERS
from examples.hostile.trial import Report, trial

ROOT = Path(__file__).parents[1]
HUNTER = "reads_the_processes"
# Those that look for secrets or privileges, and one of each kind that uses up a limit.
SOME = (
    HUNTER, "reads_every_file", "reads_likely_paths", "reads_the_memory_of_others", "reads_the_environment",
    "reads_around_the_root", "wants_privileges", "kills_all_it_can", "leaves_a_daemon", "makes_namespaces",
    "asks_the_zygote", "fork_bomb", "memory_bomb_of_arrays", "fills_the_disk", "patches_numpy", "finds_what_was_left",
    "asks_what_others_have_used", "leaks_by_a_cell_that_fails_when_it_is_run_again",
    "graph_that_says_hidden_inputs", "graph_that_crashes_its_worker",
)  # fmt: skip

PLACES = ("students/target/a.html", "staff/target/a.html", "grades.csv", "show", "json", "stderr")


@pytest.fixture(scope="module")
def report() -> Report:
    return trial(only=SOME)


def test_the_manifest_lists_every_attack_and_no_other() -> None:
    attacks = manifest().attacks.keys()
    assert attacks == {file.stem for file in (HERE / "attacks").glob("*.py")} | MAKERS.keys()
    assert len(attacks) >= 200
    assert sum(entry.attack is None for entry in entries(manifest())) > 50


def test_what_the_sandbox_decides_is_a_part_of_the_corpus() -> None:
    known = manifest()
    assert len(set(known.sandbox)) == len(known.sandbox) >= 90
    assert set(known.sandbox) <= known.attacks.keys()
    assert {entry.assignment for entry in entries(known, known.sandbox)} == known.assignments.keys()


def test_the_page_has_the_numbers_of_the_corpus() -> None:
    page = " ".join((ROOT / "docs" / "hostile.md").read_text(encoding="utf-8").split())
    known = manifest()
    honest = sum(entry.attack is None for entry in entries(known))
    assert f"hostile notebooks, scripts and zips: {len(known.attacks)} attempts to read" in page
    assert f"grades them in one batch with {honest} honest submissions" in page
    assert f"`make test` grades {len(SOME)} of them" in page
    assert f"`make image-ci` grades {len(known.sandbox)} of them in containers" in page


def test_the_page_has_the_numbers_of_the_comparison_with_otter() -> None:
    page = (ROOT / "docs" / "hostile.md").read_text(encoding="utf-8")
    table = page[page.index("## The same notebooks through otter") :]
    named = [name for row in table.splitlines() if row.startswith("| `") for name in re.findall(r"`(\w+)`", row)]
    assert set(named) <= manifest().attacks.keys() and len(named) == len(set(named)) == len(OTTERS)
    assert set(named) == set(OTTERS) and len(OTTERS) == 20 and "sends twenty of these notebooks" in table


def test_nothing_secret_comes_out(report: Report) -> None:
    assert {row.entry.name: row.leaks for row in report.rows if row.leaks} == {}


def test_no_point_is_forged(report: Report) -> None:
    assert {row.entry.name: row.forged for row in report.rows if row.forged} == {}


def test_every_attack_ends_as_the_manifest_says(report: Report) -> None:
    assert {row.entry.name: row.wrong for row in report.rows if row.wrong} == {}


def test_the_honest_get_what_they_get_without_attackers(report: Report) -> None:
    assert {row.entry.name: row.disturbed for row in report.rows if row.disturbed} == {}


def test_the_batch_ends_and_leaves_nothing_behind(report: Report) -> None:
    assert report.others == []


@pytest.mark.parametrize("place", ["csv", "json", "a dry run", "a finished batch", "grades.csv", "index.html"])
def test_secrets_are_looked_for_in_what_other_commands_write(report: Report, place: str) -> None:
    assert place in report.places


@pytest.mark.parametrize("place", ["students/", "staff/", "feedback, ", "an autograder, ", "the terminal, "])
def test_secrets_are_looked_for_in_what_is_written_of_each_student(report: Report, place: str) -> None:
    found = [each for each in report.places if each.startswith(place)]
    assert all(any(row.entry.id in each for each in found) for row in report.rows)


@pytest.mark.parametrize("secret", ["canary", "seed", "bait"])
@pytest.mark.parametrize("place", PLACES)
def test_a_secret_is_found_wherever_the_grader_writes_it(place: str, secret: str) -> None:
    drawn = Secrets.drawn()
    said = {name: f"… {getattr(drawn, secret)} …" if name == place else "" for name in PLACES}
    pages = {"grades.csv": "", **{name: text for name, text in said.items() if "." in name}}
    run = Run(0, {}, {}, pages, said["stderr"], 1.0, said["json"], {"show": said["show"]})
    found = [problem for problem in of_batch([], run, drawn) if f"the {secret} is in" in problem]
    only_for_staff = secret == "bait" and place.startswith("staff/")
    assert len(found) == (0 if only_for_staff else 1)


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can take namespaces from a process")
def test_without_namespaces_attacks_end_as_the_manifest_says() -> None:
    report = without_namespaces(lambda: trial(only=[HUNTER, "keeps_descriptors_on_the_way"]))
    assert "plain" in report.layers
    assert report.problems == []


def test_what_ends_otherwise_with_another_layer_does_so_with_one_that_stands_in() -> None:
    layers = {layer for attack in manifest().attacks.values() for layer in attack.elsewhere}
    assert layers == {"plain", "memory of the container"}


@pytest.mark.slow
def test_without_a_sandbox_the_canary_is_found() -> None:
    (found,) = (row.leaks for row in trial(only=[HUNTER], isolation="none").rows if row.entry.attack)
    assert "the canary" in found
