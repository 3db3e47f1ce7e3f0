"""The doctor: its findings on this machine, and on machines where something is missing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gradetape import doctor
from gradetape.doctor import Finding, State
from tests.course import gradetape, tiny


def _found(run: subprocess.CompletedProcess[str]) -> dict[str, dict[str, Any]]:
    return {finding["name"]: finding for finding in json.loads(run.stdout)["findings"]}


def test_on_a_machine_that_grades_all_is_fine_and_the_layers_of_its_sandbox_are_named(tmp_path: Path) -> None:
    run = gradetape(tiny(tmp_path / "course"), "doctor", "--json")
    found = _found(run)
    assert (run.returncode, json.loads(run.stdout)["ok"]) == (0, True)
    assert {
        "python",
        "packages",
        "walls",
        "memory",
        "podman",
        "docker",
        "gpu",
        "image",
        "browser",
        "disk",
        "course",
    } == set(found)
    assert "seccomp" in found["walls"]["found"] and "no_new_privs" in found["walls"]["found"]
    assert found["course"]["found"] == "A course for tests: tiny"


def test_an_error_of_the_course_is_shown_with_its_line(tmp_path: Path) -> None:
    root = tiny(tmp_path / "course")
    (root / "grader_config.yml").write_text("worker: 2\n")
    run = gradetape(root, "doctor")
    assert run.returncode == 1
    assert "grader_config.yml, line 1: unknown key 'worker'" in run.stdout and "cannot run here" in run.stdout


def test_a_course_whose_answer_key_workers_could_see_is_wrong(tmp_path: Path) -> None:
    site = next(path for path in sys.path if path.endswith("site-packages"))
    finding = doctor.sandbox(doctor.Config(), (Path(site) / "course" / "solutions",))
    assert finding.state is State.WRONG and "Move it out of" in finding.remedy


_ELSEWHERE = """
import sys, sysconfig
sysconfig.get_config_vars()  # read while the platform still has its name
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name in ("resource", "fcntl", "termios", "pyseccomp"):
            raise ModuleNotFoundError(f"No module named {name!r}")
sys.meta_path.insert(0, Blocked())
sys.platform = "darwin"
import platform
platform.system = lambda: "Darwin"
sys.argv = ["gradetape", "doctor", "--json"]
from gradetape.cli import main
main()
"""


def test_on_another_system_it_says_what_works_there_and_what_does_not(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-c", _ELSEWHERE], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (1, "")
    sandbox = _found(run)["walls"]
    assert sandbox["label"] == "sandbox"
    assert sandbox["state"] == "wrong" and sandbox["found"].startswith("Darwin has none")
    assert "release" in sandbox["remedy"] and "podman run --rm" in sandbox["remedy"]


def test_packages_that_are_missing_or_too_old_are_named_with_the_command() -> None:
    assert doctor.packages(["numpy>=2", "tensorflow>=2"]).state is State.OK
    finding = doctor.packages(["numpy>=99", "no-such-package>=1,<2", "click"])
    assert finding.state is State.WRONG
    assert "no-such-package is missing" in finding.found and "numpy 2" in finding.found
    assert finding.remedy == "pip install 'numpy>=99' 'no-such-package<2,>=1'"


def _program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the whole PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", os.fspath(folder))
    return folder


def test_what_is_not_installed_is_absent_and_no_reason_to_fail(programs: Path) -> None:
    found = [doctor.engine("podman"), doctor.engine("docker"), doctor.gpu()]
    assert {finding.state for finding in found} == {State.ABSENT}
    assert all(finding.remedy for finding in found)


def test_an_engine_that_does_not_answer_differs_from_one_that_does(programs: Path) -> None:
    _program(programs, "podman", "echo podman version 5.2.1")
    _program(programs, "docker", "echo no daemon >&2; exit 1")
    assert doctor.engine("podman") == Finding("podman", State.OK, "podman version 5.2.1")
    assert doctor.engine("docker").remedy == "Start it: systemctl start docker"


_SMI = """case "$*" in
-L) echo 'GPU 0: NVIDIA A (UUID: GPU-11)'; echo 'GPU 1: NVIDIA B (UUID: GPU-22)' ;;
*driver*) echo {driver} ;;
*) echo '0, 81559'; echo '1, 40960' ;;
esac"""


def test_every_gpu_is_named_with_its_driver(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    _program(programs, "nvidia-smi", _SMI.format(driver="570.86.15"))
    finding = doctor.gpu()
    assert (finding.state, finding.remedy) == (State.OK, "")
    assert finding.found.startswith("0: NVIDIA A, 81559 MiB; 1: NVIDIA B, 40960 MiB; driver 570.86.15")


def test_a_driver_that_is_too_old_for_cuda_is_reported(programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    _program(programs, "nvidia-smi", _SMI.format(driver="470.199.02"))
    finding = doctor.gpu()
    assert finding.state is State.ABSENT and "install a newer one" in finding.remedy


def test_a_missing_image_is_wrong_only_if_the_course_needs_it(programs: Path) -> None:
    _program(programs, "podman", "echo 'no such image' >&2; exit 125")
    assert doctor.image(doctor.Config()).state is State.ABSENT
    finding = doctor.image(doctor.Config(isolation="container"))
    assert finding.state is State.WRONG and "gradetape image build" in finding.remedy


def test_a_temporary_folder_without_room_is_wrong(tmp_path: Path) -> None:
    assert doctor.space(tmp_path).state is State.OK
    assert "TMPDIR" in doctor.space(tmp_path, needed_mb=1 << 40).remedy


def test_workers_that_could_use_more_memory_than_there_is_are_reported() -> None:
    config = doctor.Config.model_validate({"workers": 4000, "limits": {"memory_mb": 1_000_000}})
    assert "set workers: 1" in doctor.memory(config).remedy
