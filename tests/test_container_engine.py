"""The command lines of podman and Docker, word by word; tests/container runs them with podman."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from gradetape.records import Slot
from gradetape.runtime.container_engine import LABEL, ContainerEngine, ContainerRun, Mount
from gradetape.runtime.seccomp_profile import profile

CARD = Slot(device="GPU-11111111-2222", cdi="nvidia.com/gpu=0")
OTHER = Slot(device="GPU-33333333-4444", cdi="nvidia.com/gpu=1")
SLICE = Slot(device="MIG-55555555-6666", cdi="nvidia.com/gpu=0:1")
FAKE = Slot(device="GPU-fake", cdi="gradetape.test/gpu=0")
BOTH = pytest.mark.parametrize(
    "engine", [ContainerEngine("podman"), ContainerEngine("docker")], ids=lambda engine: engine.name
)


def container(*slots: Slot) -> ContainerRun:
    return ContainerRun(
        name="gradetape-1-2-abcd", image="localhost/gradetape", entrypoint="python3", command=("-m", "gradetape.x"),
        profile=Path("/p/seccomp.json"), memory_mb=5120, processes=256, disk_mb=512, cpus=1.5, slots=slots,
        mounts=(Mount(Path("/m"), "/run/gradetape", writable=True),), environment={"LANG": "C.UTF-8"},
    )  # fmt: skip


def values(argv: list[str], flag: str) -> list[str]:
    """The value of each occurrence of a flag."""
    return [argv[place + 1] for place, word in enumerate(argv) if word == flag]


@BOTH
def test_a_container_may_use_nothing_that_it_does_not_need(engine: ContainerEngine) -> None:
    argv = engine.run(container())
    assert argv[:2] == [engine.name, "run"]
    assert {"--rm", "--interactive", "--read-only"} <= set(argv)
    assert values(argv, "--network") == ["none"]
    assert values(argv, "--cap-drop") == ["ALL"]
    assert values(argv, "--cap-add") == ["SETUID", "SETGID", "KILL"]
    assert values(argv, "--security-opt") == ["no-new-privileges", "seccomp=/p/seccomp.json"]
    assert values(argv, "--pids-limit") == ["256"]
    assert values(argv, "--memory") == values(argv, "--memory-swap") == ["5120m"]
    assert values(argv, "--cpus") == ["1.5"]
    assert values(argv, "--shm-size") == ["512m"]
    assert values(argv, "--tmpfs") == ["/tmp:rw,nosuid,nodev,mode=1777,size=512m"]
    assert values(argv, "--pull") == ["never"]


@BOTH
def test_a_container_has_a_name_a_label_and_one_folder_of_the_hosts(engine: ContainerEngine) -> None:
    argv = engine.run(container())
    assert values(argv, "--name") == ["gradetape-1-2-abcd"]
    assert values(argv, "--label") == [LABEL]
    assert values(argv, "--volume") == ["/m:/run/gradetape:rw,Z"]
    assert values(argv, "--entrypoint") == ["python3"]
    assert argv[-3:] == ["localhost/gradetape", "-m", "gradetape.x"]


def test_defaults_of_podman_are_switched_off() -> None:
    argv = ContainerEngine("podman").run(container())
    assert {"--read-only-tmpfs=false", "--http-proxy=false"} <= set(argv)


@BOTH
def test_without_a_device_no_gpu_is_visible_whatever_the_image_says(engine: ContainerEngine) -> None:
    argv = engine.run(container())
    assert {"NVIDIA_VISIBLE_DEVICES=void", "CUDA_VISIBLE_DEVICES=-1"} <= set(values(argv, "--env"))
    assert not {"--device", "--gpus"} & set(argv)


@pytest.mark.parametrize(
    ("slots", "named"),
    [
        ((CARD,), ["nvidia.com/gpu=0"]),
        ((CARD, OTHER), ["nvidia.com/gpu=0", "nvidia.com/gpu=1"]),
        ((SLICE,), ["nvidia.com/gpu=0:1"]),
        ((FAKE,), ["gradetape.test/gpu=0"]),
    ],
    ids=["one", "two", "a slice", "a fake"],
)
def test_podman_takes_the_names_of_cdi(slots: tuple[Slot, ...], named: list[str]) -> None:
    argv = ContainerEngine("podman").run(container(*slots))
    assert values(argv, "--device") == named
    assert "--gpus" not in argv  # podman would accept it and ignore it
    assert "CUDA_VISIBLE_DEVICES=-1" not in values(argv, "--env")


@pytest.mark.parametrize(
    ("slots", "named"),
    [
        ((CARD,), "device=GPU-11111111-2222"),
        ((CARD, OTHER), '"device=GPU-11111111-2222,GPU-33333333-4444"'),
        ((SLICE,), "device=MIG-55555555-6666"),
        ((FAKE,), "device=GPU-fake"),
    ],
    ids=["one", "two", "a slice", "a fake"],
)
def test_docker_takes_the_ids_of_devices(slots: tuple[Slot, ...], named: str) -> None:
    argv = ContainerEngine("docker").run(container(*slots))
    assert values(argv, "--gpus") == [named]
    assert "--device" not in argv
    assert "CUDA_VISIBLE_DEVICES=-1" not in values(argv, "--env")


@BOTH
def test_an_image_is_built_from_a_folder_on_the_base_that_is_asked_for(engine: ContainerEngine) -> None:
    argv = engine.build(Path("/c"), Path("/c/Containerfile"), "x", base="b", volumes=["/a:/b:ro"], network="none")
    assert argv[:2] == [engine.name, "build"]
    assert argv[-1] == "/c"
    assert values(argv, "--tag") == ["x"]
    assert values(argv, "--file") == ["/c/Containerfile"]
    assert values(argv, "--build-arg") == ["BASE_IMAGE=b"]
    assert values(argv, "--volume") == ["/a:/b:ro"]
    assert "--build-arg" not in engine.build(Path("/c"), Path("/c/Containerfile"), "x")


def test_the_filter_lets_the_zygote_listen_and_nobody_reach_the_network_or_a_namespace() -> None:
    rules = profile()
    assert (rules["defaultAction"], rules["defaultErrnoRet"]) == ("SCMP_ACT_ERRNO", 38)
    allowed = [rule for rule in rules["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW"]
    plain = {name for rule in allowed if not rule.get("args") for name in rule["names"]}
    guarded = {name: rule["args"] for rule in allowed if rule.get("args") for name in rule["names"]}
    assert {"bind", "listen", "accept4", "setresuid", "landlock_restrict_self"} <= plain
    assert not {"clone", "clone3", "unshare", "mount", "ptrace", "bpf", "io_uring_setup", "keyctl", "socket"} & plain
    assert guarded["socket"] == [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]
    assert guarded["clone"][0]["op"] == "SCMP_CMP_MASKED_EQ"
    (refused,) = (rule for rule in rules["syscalls"] if rule not in allowed)
    assert refused == {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}
    assert json.loads(json.dumps(rules)) == rules


def test_the_containerfile_names_only_the_published_base_and_copies_nothing_of_a_course() -> None:
    root = Path(__file__).parents[1]
    text = (root / "autograder" / "Containerfile").read_text()
    assert text == (root / "src/gradetape/scaffold/course/autograder/Containerfile.tmpl").read_text()
    assert re.findall(r"^COPY (.*) ", text, re.MULTILINE) == ["requirements.txt constraints.txt", "gradetape-*.whl"]
    assert "tensorflow/tensorflow:2.21.0-gpu" in text


def test_the_image_is_built_from_a_folder_that_holds_nothing_of_the_course(tmp_path: Path) -> None:
    from gradetape.runtime.image import context

    root = Path(__file__).parents[1]
    with context(root) as folder:
        names = sorted(path.name for path in folder.iterdir())
        assert names[:2] == ["Containerfile", "constraints.txt"]
        assert names[3:] == ["requirements.txt"]
        assert re.fullmatch(r"gradetape-[\d.]+-py3-none-any\.whl", names[2])
        assert (folder / "constraints.txt").read_text() == (root / "constraints.txt").read_text()
        wheel = subprocess.run(
            ["python3", "-m", "zipfile", "-l", str(folder / names[2])], capture_output=True, text=True
        )
    listed = wheel.stdout
    assert "gradetape/worker/zygote.py" in listed
    assert "entry_points.txt" in listed
    secret = [path.name for folder in ("solutions", "autograder") for path in (root / folder).rglob("q*.py")]
    assert secret
    assert [name for name in secret if name in listed] == []
