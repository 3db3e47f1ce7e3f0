"""The corpus: the attacks, and the folder of submissions that is created from them.

A submission is a base (somebody's answers) and an attack in additional cells. It may get the points of the base without
the attack. Honest notebooks of the bases are graded between the attacks.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from ruamel.yaml import YAML

from examples.hostile.generate import MAKERS, notebook
from gradetape.course.source import PythonSource

HERE = Path(__file__).parent
EVERY = 5  # every fifth submission is honest

Allowed = str | list[str]


class Attack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of the manifest.

    `tries` describes the attack; `base` names the answers that it is combined with. `verdicts` are the required
    verdicts: of all checks, or of those that are named, by check or by question; the others must be those of the base.
    `cell` is the required end of the attack's cell (`error`, `timeout`, `memory`, `crashed`) if it must not simply run.
    `unreadable` is a pattern of the reason, for a file that must not be graded. `form` is the kind of file. `review`
    requires that the submission is marked for review. `part` names code that several attacks begin with. `elsewhere`
    lists, by an isolation layer, patterns of problems that are none where that layer stands in for another one.
    """

    tries: str
    base: str = "half"
    verdicts: Allowed | dict[str, Allowed] = {}
    cell: Allowed = "runs"
    unreadable: str = ""
    form: str = "notebook"
    review: bool = False
    part: str = ""
    elsewhere: dict[str, list[str]] = {}


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The attacks by name; `bases` holds the points of each base, `assignments` the bases of each assignment.

    `sandbox` names the attacks whose result the sandbox decides.
    """

    assignments: dict[str, list[str]]
    bases: dict[str, float]
    sandbox: list[str]
    attacks: dict[str, Attack]


class Entry(msgspec.Struct, frozen=True):
    """A submission of the corpus; an honest one has no attack."""

    number: int
    name: str
    base: str
    attack: Attack | None = None
    assignment: str = "target"

    @property
    def id(self) -> str:
        """The student's name, which starts with the number."""
        return f"{self.number:03}-{self.name}"


def manifest() -> Manifest:
    """Reads manifest.yml."""
    return msgspec.convert(YAML(typ="safe").load(HERE / "manifest.yml"), Manifest)


def entries(known: Manifest, only: Sequence[str] = ()) -> list[Entry]:
    """The attacks, or some of them, by assignment, with honest submissions between them."""
    made: list[Entry] = []
    for assignment, bases in known.assignments.items():
        chosen = [name for name, attack in known.attacks.items() if attack.base in bases and (not only or name in only)]
        for place, name in enumerate(chosen):
            if place % (EVERY - 1) == 0:
                base = bases[place // (EVERY - 1) % len(bases)]
                made.append(Entry(len(made) + 1, f"honest_{base}", base, None, assignment))
            attack = known.attacks[name]
            made.append(Entry(len(made) + 1, name, attack.base, attack, assignment))
    return made


def honest(known: Manifest, assignment: str) -> list[Entry]:
    """One submission of each base of an assignment, without an attack."""
    numbered = enumerate(known.bases, 1)
    return [
        Entry(number, f"alone_{base}", base, None, assignment)
        for number, base in numbered
        if base in known.assignments[assignment]
    ]


def write(made: Sequence[Entry], folder: Path, secret: str = "") -> None:
    """Writes the submissions into a folder; the honest ones contain a secret that no attack may find."""
    folder.mkdir()
    for entry in made:
        path, cells = folder / entry.id, _cells(entry)
        if entry.attack is None:
            cells[-1] += f"\n# {secret}"
        if entry.name in MAKERS:
            MAKERS[entry.name](path, cells)
        elif entry.attack is not None and entry.attack.form == "script":
            path.with_name(path.name + ".py").write_text("\n# %%\n".join(cells), encoding="utf-8")
        else:
            text = notebook(cells, number=entry.number, gradetape={"assignment": entry.assignment})
            path.with_name(path.name + ".ipynb").write_text(text, encoding="utf-8")


def _texts(file: Path) -> list[str]:
    return [cell.text for cell in PythonSource.read(file).code]


def _cells(entry: Entry) -> list[str]:
    base = _texts(HERE / "bases" / f"{entry.base}.py")
    file = HERE / "attacks" / f"{entry.name}.py"
    attack = _texts(file) if entry.attack is not None and file.is_file() else []
    if entry.attack is not None and entry.attack.part:
        attack[0] = f"{_texts(HERE / 'parts' / f'{entry.attack.part}.py')[0]}\n\n\n{attack[0]}"
    # The base `teller` reports what the attack found, so it comes after; otherwise the attack overrides the base's
    # functions.
    return attack + base if entry.base == "teller" else base + attack
