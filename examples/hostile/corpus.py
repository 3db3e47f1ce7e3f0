"""The corpus: what each attack tries, and the folder of submissions that is made of it.

A submission is a base (the answers of somebody, who may be honest), and an attack in further cells. What it may have is
what the base has without it, and the base's own honest notebooks stand between the attackers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from ruamel.yaml import YAML

from examples.hostile.generate import MAKERS, notebook
from gradetape.course.source import PythonSource

HERE = Path(__file__).parent
EVERY = 5  # one in so many submissions is honest

Allowed = str | list[str]


class Attack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of the manifest.

    `tries` says what is tried; `base` whose answers the attack comes with. `verdicts` are what it must end in: of all
    checks, or of those that are named, by check or by question; the others must end as the base's own. `cell` is how
    the attack's cell must end (`error`, `timeout`, `memory`, `crashed`), where it must not simply run. `unreadable` is
    a pattern of the reason, for a file that must not be graded. `form` is the kind of file. `review` tells that it must be
    marked for review.
    """

    tries: str
    base: str = "half"
    verdicts: Allowed | dict[str, Allowed] = {}
    cell: Allowed = "runs"
    unreadable: str = ""
    form: str = "notebook"
    review: bool = False


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`bases` tells the points that each base has."""

    bases: dict[str, float]
    attacks: dict[str, Attack]


class Entry(msgspec.Struct, frozen=True):
    """A submission of the corpus: an attack, or one of the honest, which has none."""

    number: int
    name: str
    base: str
    attack: Attack | None = None

    @property
    def question_id(self) -> str:
        """The student's name, which begins with the number."""
        return f"{self.number:03}-{self.name}"


def manifest() -> Manifest:
    """Reads manifest.yml."""
    return msgspec.convert(YAML(typ="safe").load(HERE / "manifest.yml"), Manifest)


def entries(told: Manifest, only: Sequence[str] = ()) -> list[Entry]:
    """The attacks, or some of them, with the honest ones between them."""
    chosen = [(name, attack) for name, attack in told.attacks.items() if not only or name in only]
    bases = list(told.bases)
    made: list[Entry] = []
    for place, (name, attack) in enumerate(chosen):
        if place % (EVERY - 1) == 0:
            base = bases[place // (EVERY - 1) % len(bases)]
            made.append(Entry(len(made) + 1, f"honest_{base}", base))
        made.append(Entry(len(made) + 1, name, attack.base, attack))
    return made


def honest(told: Manifest) -> list[Entry]:
    """One of each base, without any attack."""
    return [Entry(number, f"alone_{base}", base) for number, base in enumerate(told.bases, 1)]


def write(made: Sequence[Entry], folder: Path, secret: str = "") -> None:
    """Puts the submissions into a folder; those of the honest hold a secret, which is no attacker's business."""
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
            text = notebook(cells, number=entry.number, gradetape={"assignment": "target"})
            path.with_name(path.name + ".ipynb").write_text(text, encoding="utf-8")


def _texts(file: Path) -> list[str]:
    return [cell.text for cell in PythonSource.read(file).code]


def _cells(entry: Entry) -> list[str]:
    base = _texts(HERE / "bases" / f"{entry.base}.py")
    file = HERE / "attacks" / f"{entry.name}.py"
    attack = _texts(file) if entry.attack is not None and file.is_file() else []
    # What tells of findings needs the attack's hunt; a function of an attack takes the place of the base's.
    return attack + base if entry.base == "teller" else base + attack
