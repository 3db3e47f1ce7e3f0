"""What a worker costs here and in another checkout is measured in pairs; a small program plays the checkouts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks import births
from benchmarks.measure import BenchmarkError
from tests.course import write_files

PLAYED = """\
#!/bin/sh
echo '"ready"'
while read -r line; do echo "[0.0NUMBER, 0.1NUMBER, 2NUMBER.0]"; done
"""


def checkout(folder: Path, number: int) -> Path:
    python = write_files(folder, {".venv/bin/python": PLAYED.replace("NUMBER", str(number))}) / ".venv/bin/python"
    python.chmod(0o755)
    return folder


def test_the_differences_are_of_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(births, "ROOT", checkout(tmp_path / "here", 7))
    run = CliRunner().invoke(births.main, [str(checkout(tmp_path / "there", 4)), "--repeats", "3"])
    assert run.exit_code == 0, run.output
    assert "30 ms (30 to 30)" in run.output and "3 MiB (3 to 3)" in run.output and "3 pairs" in run.output
    assert "here was faster in 0% of the pairs" in run.output


def test_a_checkout_without_an_environment_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match=r"has no \.venv/bin/python: make one there"):
        births.Checkout(tmp_path)


def test_a_checkout_that_cannot_be_measured_ends_the_command(tmp_path: Path) -> None:
    write_files(tmp_path, {".venv/bin/python": "#!/bin/sh\nexit 1\n"})
    (tmp_path / ".venv/bin/python").chmod(0o755)
    with births.Checkout(tmp_path) as there, pytest.raises(BenchmarkError, match="cannot be measured"):
        there.wait_ready()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="a worker needs Linux")
def test_a_worker_of_this_checkout_is_measured() -> None:
    if not (births.ROOT / ".venv/bin/python").exists():
        pytest.skip("the environment is not in the checkout")
    with births.Checkout(births.ROOT) as here:
        here.wait_ready()
        first, answered, memory = here.birth()
    assert first > 0 and answered > 0 and memory > 1  # the two times are of different workers
