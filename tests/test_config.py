"""grader_config.yml: its keys and values, and the errors for wrong ones."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradetape import records
from gradetape.course import config
from gradetape.course.strict_yaml import every_key
from gradetape.errors import ConfigError

ROOT = Path(__file__).parents[1]


def written(folder: Path, text: str) -> Path:
    path = folder / "grader_config.yml"
    path.write_text(text, encoding="utf-8")
    return path


def complaints(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config.load(written(folder, text))
    return str(caught.value).splitlines()


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    loaded = config.load(written(tmp_path, ""))
    assert (loaded.keras, loaded.workers, loaded.device, loaded.isolation) == (3, "auto", "auto", "namespaces")
    assert loaded.results == Path("results")
    assert loaded.gradebook is None


def test_every_key_is_read(tmp_path: Path) -> None:
    text = """\
course: Deep learning
keras: legacy
workers: 4
device: gpu
isolation: container
results: out/grades
gradebook: postgresql://grader@db/grades
limits:
  check_s: 5
  memory_mb: 1024
"""
    loaded = config.load(written(tmp_path, text))
    assert loaded.course == "Deep learning"
    assert (loaded.keras, loaded.workers, loaded.device, loaded.isolation) == ("legacy", 4, "gpu", "container")
    assert (loaded.results, loaded.gradebook) == (Path("out/grades"), "postgresql://grader@db/grades")
    assert loaded.limits.record() == records.Limits(check_s=5.0, check_cpu_s=10.0, memory_mb=1024)


def test_the_limits_default_to_those_of_the_records() -> None:
    assert config.LimitsConfig().record() == records.Limits()
    assert set(config.LimitsConfig.model_fields) == {field.name for field in msgspec.structs.fields(records.Limits)}


def test_a_config_does_not_change(tmp_path: Path) -> None:
    loaded = config.load(written(tmp_path, ""))
    with pytest.raises(pydantic.ValidationError):
        loaded.workers = 3  # type: ignore[misc]


def test_an_unknown_key_is_named_with_its_line_and_the_nearest_key(tmp_path: Path) -> None:
    assert complaints(tmp_path, "\n" * 6 + "limts:\n  check_s: 3\n") == [
        "grader_config.yml, line 7: unknown key 'limts'. Did you mean 'limits'?"
    ]


def test_an_unknown_key_like_no_other_gets_the_list_of_keys(tmp_path: Path) -> None:
    [line] = complaints(tmp_path, "limits:\n  zzz: 3\n")
    assert line.startswith("grader_config.yml, line 2: unknown key 'zzz'. The keys are load_s, cell_s,")


def test_a_key_that_is_not_text_is_unknown(tmp_path: Path) -> None:
    assert complaints(tmp_path, "3: x\n")[0].startswith("grader_config.yml, line 1: unknown key '3'.")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("workers: many", "'workers' is 'many'; it should be 'auto' or a whole number."),
        ("workers: 0", "'workers' is 0; it should be 'auto' or at least 1."),
        ("workers: true", "'workers' is True; it should be 'auto' or a whole number."),
        ("keras: 4", "'keras' is 4; it should be 3 or 'legacy'."),
        ("container: {per: lane}", "'container.per' is 'lane'; it should be 'slot' or 'submission'."),
        ("device: tpu", "'device' is 'tpu'; it should be 'auto', 'cpu' or 'gpu'."),
        ("limits: {disk_mb: '5'}", "'limits.disk_mb' is '5'; it should be a whole number."),
        ("limits: {processes: 16}", "'limits.processes' is 16; it should be at least 32."),
        ("limits: {cell_s: .inf}", "'limits.cell_s' is inf; it should be a finite number."),
        ("limits:", "'limits' is empty; it should be a mapping of keys to values."),
        ("results: student/grades", "'results' is 'student/grades': results need a folder of their own"),
        ("results: .", "'results' is '.': results need a folder of their own"),
        ("gradebook: mysql://x/y", "'gradebook' is 'mysql://x/y': write sqlite:///file or postgresql://"),
        ("limits: {submission_s: 5}", "submission_s is less than load_s, cell_s or check_s; make it at least"),
    ],
)
def test_a_wrong_value_is_shown_beside_what_is_allowed(tmp_path: Path, text: str, complaint: str) -> None:
    [line] = complaints(tmp_path, f"course: X\n{text}\n")
    assert line.startswith("grader_config.yml, line 2: ")
    assert complaint in line


def test_all_errors_are_reported_together_in_the_order_of_their_lines(tmp_path: Path) -> None:
    lines = complaints(tmp_path, "keras: 4\nlimits:\n  disk_mb: x\n  memry_mb: 3\ncours: X\n")
    assert [line.split(":")[0].removeprefix("grader_config.yml, ") for line in lines] == [
        "line 1",
        "line 3",
        "line 4",
        "line 5",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("course: A\ncourse: B\n", 2),
        ("limits:\n  check_s: 1\n  check_s: 2\n", 3),
        ("course: [A\nkeras: 3\n", 2),
        ("course: A\n\tkeras: 3\n", 2),
        ("keras: 3\ncourse: a: b\n", 2),
        ("course: A\nkeras: *x\n", 2),
        ("course: A\nkeras: \x01\n", 2),
        ("- course\n", 1),
    ],
)
def test_broken_yaml_is_an_error_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    [complaint] = complaints(tmp_path, text)
    assert complaint.startswith(f"grader_config.yml, line {line}: ")
    assert complaint.endswith((". Correct the YAML there.", "with lines such as 'key: value'."))


def test_a_file_that_is_not_text_or_not_there_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read: .* It should be at "):
        config.load(tmp_path / "grader_config.yml")
    (tmp_path / "grader_config.yml").write_bytes(b"course: \xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        config.load(tmp_path / "grader_config.yml")


@pytest.mark.parametrize("value", ["._", "-_", "+_", "0b_", "0x_", "1:_"])
def test_text_that_looks_like_a_number_is_an_error_with_its_line(tmp_path: Path, value: str) -> None:
    [line] = complaints(tmp_path, f"limits:\n  check_s: {value}\n")
    assert line.startswith("grader_config.yml, line 2: 'limits.check_s' is ")


@given(text=st.text(max_size=200))
def test_any_text_is_loaded_or_explained(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("any") / "grader_config.yml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        config.load(path)
    except ConfigError as problem:
        assert str(problem).startswith("grader_config.yml")


def test_every_key_is_described() -> None:
    for model in (config.Config, config.LimitsConfig):
        assert all(field.description for field in model.model_fields.values())


def test_the_schema_for_editors_is_current() -> None:
    stored = json.loads((ROOT / "grader_config.schema.json").read_text(encoding="utf-8"))
    assert stored == config.schema(), "run: make grader_config.schema.json"


def test_the_course_of_this_repository_is_configured() -> None:
    text = (ROOT / "grader_config.yml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=grader_config.schema.json\n")
    assert config.load(ROOT / "grader_config.yml").course


def uncovered(text: str) -> str:
    """A file without the '# ' before its keys, as an editor removes it."""
    return re.sub("^# (?!yaml-language-server)", "", text, flags=re.MULTILINE)


def test_the_defaults_that_the_comments_name_are_the_defaults(tmp_path: Path) -> None:
    text = uncovered((ROOT / "grader_config.yml").read_text(encoding="utf-8"))
    assert config.load(written(tmp_path, text)) == config.load(ROOT / "grader_config.yml")
    keys = {line.strip().split(":")[0] for line in text.splitlines()}
    assert keys >= {name.rpartition(".")[2] for name, _ in every_key(config.Config)}


def test_a_commented_file_sets_nothing_and_with_its_keys_uncovered_sets_the_defaults(tmp_path: Path) -> None:
    text = config.commented()
    assert config.load(written(tmp_path, text)) == config.Config()
    assert config.load(written(tmp_path, uncovered(text))) == config.Config()
    assert {name for name, _ in every_key(config.Config)} > {"limits", "limits.cell_s", "course"}


def test_every_block_of_a_commented_file_can_be_uncovered_by_itself_with_its_prose(tmp_path: Path) -> None:
    for block in config.commented().split("\n\n"):
        for prefix in ("^# ?", "^# "):  # what editors remove, and what the head of the file says
            text = re.sub(prefix, "", block, flags=re.MULTILINE)
            assert config.load(written(tmp_path, text)) == config.Config()


def test_every_key_of_a_commented_file_can_be_uncovered_by_itself(tmp_path: Path) -> None:
    names = [name for name, _ in every_key(config.Config)]
    for name in (name for name in names if not any(other.startswith(f"{name}.") for other in names)):
        text = config.commented()
        for depth, part in enumerate(name.split(".")):
            text = re.sub(f"^# {'  ' * depth}{part}:", f"{'  ' * depth}{part}:", text, count=1, flags=re.MULTILINE)
        assert text != config.commented() and config.load(written(tmp_path, text)) == config.Config()


def test_the_error_for_a_key_outside_its_group_names_the_group(tmp_path: Path) -> None:
    for text in ("percent_per_day: 10\n", "limits:\n  percent_per_day: 10\n"):
        assert complaints(tmp_path, text)[0].endswith("unknown key 'percent_per_day'. It belongs under late:.")


def test_an_engine_that_there_is_not_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    """A new engine adds to the names."""
    assert complaints(tmp_path, "engine: nightly\n")[0].startswith(
        "grader_config.yml, line 1: 'engine' is 'nightly'; it should be 'local' or 'ray'"
    )
