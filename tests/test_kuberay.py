"""The manifests for Kubernetes: their fields, and that they keep what a cluster must keep. No cluster is started.

The schema is written by hand. With GRADETAPE_KUBERAY_CRD, the path of KubeRay's own, that one is used too.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from tests.course import called

ROOT = Path(__file__).parents[1]
DEPLOYED = ROOT / "deploy" / "kuberay"
SCHEMAS = YAML(typ="safe").load(Path(__file__).with_name("kuberay_schema.yml"))
CRD = os.environ.get("GRADETAPE_KUBERAY_CRD")


@pytest.fixture
def objects() -> dict[str, Any]:
    """The objects of the manifests by their kind."""
    files = ("files.yaml", "grade.yaml")
    return {each["kind"]: each for name in files for each in YAML(typ="safe").load_all(DEPLOYED / name)}


def cluster_of(objects: dict[str, Any]) -> Any:
    return objects["RayJob"]["spec"]["rayClusterSpec"]


def pods(objects: dict[str, Any]) -> tuple[Any, Any]:
    """The pod of the head, and that of the machines that judge."""
    cluster = cluster_of(objects)
    (group,) = cluster["workerGroupSpecs"]
    return cluster["headGroupSpec"]["template"]["spec"], group["template"]["spec"]


def strict(schema: Any) -> Any:
    """The schema with what Kubernetes does beside it: it refuses fields that it does not know."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["string", "integer"]}
    found = {name: strict(each) for name, each in schema.items() if name != "format"}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        found.setdefault("additionalProperties", bool(schema.get("x-kubernetes-preserve-unknown-fields")))
    return found


def problems(schema: Any, value: Any) -> list[str]:
    """What a schema finds wrong, each with its place."""
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(strict(schema)).iter_errors(value)]


def test_every_field_is_one_that_kubernetes_knows(objects: dict[str, Any]) -> None:
    assert objects.keys() == SCHEMAS.keys()
    assert {kind: problems(SCHEMAS[kind], each) for kind, each in objects.items()} == {kind: [] for kind in objects}


def test_a_field_that_kubernetes_does_not_know_is_found(objects: dict[str, Any]) -> None:
    del objects["RayJob"]["spec"]["rayClusterSpec"]["headGroupSpec"]["template"]["spec"]["containers"][0]["name"]
    objects["RayJob"]["spec"]["authOptions"] = {"mode": "token"}
    found = problems(SCHEMAS["RayJob"], objects["RayJob"])
    head = "$.spec.rayClusterSpec.headGroupSpec.template.spec"
    assert {each.partition(":")[0] for each in found} == {"$.spec", f"{head}.containers[0]"}


@pytest.mark.skipif(not CRD, reason="GRADETAPE_KUBERAY_CRD does not name KubeRay's ray.io_rayjobs.yaml")
def test_kuberays_own_schema_accepts_the_job(objects: dict[str, Any]) -> None:
    versions = YAML(typ="safe").load(Path(CRD or ""))["spec"]["versions"]
    (schema,) = (each["schema"]["openAPIV3Schema"] for each in versions if each["name"] == "v1")
    schema["properties"]["metadata"] = SCHEMAS["RayJob"]["properties"]["metadata"]
    assert problems(schema, objects["RayJob"]) == []


def test_the_cluster_has_a_token_and_the_version_of_ray_that_gradetape_needs(objects: dict[str, Any]) -> None:
    cluster = cluster_of(objects)
    assert cluster["authOptions"] == {"mode": "token"}
    (wanted,) = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["ray"]
    found = re.search(r"ray==(\d+\.\d+)\.\*", wanted)
    assert found and cluster["rayVersion"].startswith(f"{found[1]}.")
    assert f"'ray[default]=={found[1]}.*'" in (DEPLOYED / "Containerfile").read_text()


def test_the_pods_that_judge_hold_nothing_of_the_course_and_few_privileges(objects: dict[str, Any]) -> None:
    head, judging = pods(objects)
    assert cluster_of(objects)["headGroupSpec"]["rayStartParams"] == {"num-cpus": "0"}, "the head would judge"
    (container,) = judging["containers"]
    assert "volumes" not in judging and "volumeMounts" not in container
    assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]
    named = re.findall(r"--cap-add (\w+)", (ROOT / "docs" / "gpu.md").read_text())
    assert container["securityContext"]["capabilities"]["add"] == named, "what the sandbox in a container needs"
    for pod in (head, judging):
        assert pod["automountServiceAccountToken"] is False
        (container,) = pod["containers"]
        assert container["resources"]["limits"]["memory"], "the sandbox needs a limit of the container"
        assert {"name": "RAY_memory_monitor_refresh_ms", "value": "0"} in container["env"]


def test_the_options_of_the_job_are_those_of_the_command(objects: dict[str, Any]) -> None:
    line = objects["RayJob"]["spec"]["entrypoint"]
    assert re.match(r"cd /course && gradetape grade /data/submissions ", line)
    known = called(ROOT, "grade", "--help").stdout
    assert (used := re.findall(r"--[\w-]+", line)) and [option for option in used if option not in known] == []
