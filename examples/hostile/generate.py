"""Files that are too dangerous or too big to store: each function here writes one submission into a folder.

A maker gets the path without a suffix, and the cells of the notebook that it may corrupt. Nothing of this is ever
committed: the corpus creates the files in a temporary folder.
"""

from __future__ import annotations

import io
import json
import os
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbformat import v2, v3

Maker = Callable[[Path, list[str]], None]
HTML = "<script>alert('owned')</script><img src=x onerror=alert(1)>"
TERMINAL = "\x1b]0;owned\x07\x1b[2J\u202e\u200b"


def notebook(cells: list[str], **metadata: Any) -> str:
    """The text of a notebook with these code cells."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata=metadata)
    for number, cell in enumerate(made.cells):
        cell.id = f"cell-{number}"
    return str(nbformat.writes(made))


def _save(path: Path, data: str | bytes, suffix: str = ".ipynb") -> None:
    path.with_name(path.name + suffix).write_bytes(data.encode() if isinstance(data, str) else data)


def _zip(path: Path, entries: dict[str, str | bytes], **kinds: int) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (kinds.get("mode", stat.S_IFREG) | 0o644) << 16
            archive.writestr(entry, data)
    _save(path, packed.getvalue(), ".zip")


def zip_that_shadows_modules(path: Path, cells: list[str]) -> None:
    evil = "print('BREACH: a file of the zip was run')\nimport os\nos._exit(0)\n"
    names = ["tensorflow.py", "numpy.py", "sitecustomize.py", "conftest.py", "test_public.py", "gradetape/__init__.py"]
    others = {"evil.pth": "import os; os._exit(0)\n", "pytest.ini": "[pytest]\naddopts = --co\n", "seed": "0" * 32}
    _zip(path, {"a.ipynb": notebook(cells), **dict.fromkeys(names, evil), **others})


def zip_that_climbs(path: Path, cells: list[str]) -> None:
    _zip(path, {"../../autograder/seed": "0" * 32, "..\\..\\x.ipynb": "", "a.ipynb": notebook(cells)})


def zip_with_an_absolute_path(path: Path, cells: list[str]) -> None:
    _zip(path, {"/tmp/owned.ipynb": notebook(cells)})


def zip_bomb(path: Path, cells: list[str]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.ipynb", "w") as file:
        for _ in range(600):
            file.write(bytes(1 << 20))
    _save(path, packed.getvalue(), ".zip")


def zip_bomb_that_lies(path: Path, cells: list[str]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.ipynb", bytes(200 << 20))
    data = bytearray(packed.getvalue())
    for at in (22, data.rindex(b"PK\x01\x02") + 24):
        data[at : at + 4] = struct.pack("<I", 1000)
    _save(path, bytes(data), ".zip")


def zip_in_a_zip(path: Path, cells: list[str]) -> None:
    inner = notebook(cells).encode()
    for _ in range(20):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inner.zip", inner)
        inner = packed.getvalue()
    _save(path, inner, ".zip")


def zip_of_links(path: Path, cells: list[str]) -> None:
    _zip(path, {"a.ipynb": "../../../autograder/seed"}, mode=stat.S_IFLNK)


def zip_of_devices(path: Path, cells: list[str]) -> None:
    _zip(path, {"zero.ipynb": ""}, mode=stat.S_IFCHR)


def zip_of_100_000_entries(path: Path, cells: list[str]) -> None:
    _zip(path, {f"{number}.ipynb": "" for number in range(100_000)})


def zip_with_a_password(path: Path, cells: list[str]) -> None:
    _zip(path, {"a.ipynb": notebook(cells)})
    file = path.with_name(path.name + ".zip")
    data = bytearray(file.read_bytes())
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    file.write_bytes(data)


def zip_with_one_name_twice(path: Path, cells: list[str]) -> None:
    _zip(path, {"a.ipynb": notebook(cells), "A.ipynb": notebook(["print('BREACH: the other one')"])})


def notebook_of_500_mb(path: Path, cells: list[str]) -> None:
    text = notebook(cells)
    with open(path.with_name(path.name + ".ipynb"), "wb") as file:
        file.write(text.encode())
        file.truncate(500 << 20)


def notebook_of_depth_100_000(path: Path, cells: list[str]) -> None:
    _save(path, '{"nbformat": 4, "cells": ' + "[" * 100_000 + "]" * 100_000 + "}")


def notebook_of_a_million_values(path: Path, cells: list[str]) -> None:
    _save(path, '{"nbformat": 4, "cells": [], "metadata": [' + "[]," * 4_000_000 + "[]]}")


def notebook_of_100_000_cells(path: Path, cells: list[str]) -> None:
    cell = '{"cell_type": "code", "metadata": {}, "source": "x = 1", "outputs": []}'
    _save(path, '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [' + ",".join([cell] * 100_000) + "]}")


def notebook_of_many_words(path: Path, cells: list[str]) -> None:
    """Many cells print and raise text that becomes ten times longer when it is escaped: 40 MB in total."""
    word = "chr(0xE0041) * 2000"
    _save(path, notebook([*cells, *[f"print({word})\nraise ValueError({word})"] * 990]))


def notebook_of_failing_cells(path: Path, cells: list[str]) -> None:
    """Cells whose exceptions raise MemoryError when they are described, with text that becomes ten times longer."""
    name = "class Name:\n    def __str__(self):\n        raise MemoryError(chr(0xE0001) * 4000)"
    loud = f"{name}\nclass Loud(SyntaxError):\n    filename = Name()"
    _save(path, notebook([*cells, loud, *["class Again:\n    raise Loud"] * 120]))


def notebook_with_a_huge_number(path: Path, cells: list[str]) -> None:
    _save(path, '{"nbformat": ' + "4" * 1_000_000 + ', "cells": []}')


def notebook_with_one_id(path: Path, cells: list[str]) -> None:
    root = json.loads(notebook(cells))
    for cell in root["cells"]:
        cell["id"] = "same"
    _save(path, json.dumps(root))


def notebook_without_metadata(path: Path, cells: list[str]) -> None:
    _save(path, json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": cell} for cell in cells]}))


def notebook_with_its_keys_twice(path: Path, cells: list[str]) -> None:
    other = json.dumps([{"cell_type": "code", "source": "print('BREACH: the other cells')"}])
    text = json.dumps([{"cell_type": "code", "source": cell} for cell in cells])
    _save(path, f'{{"nbformat": 4, "cells": {other}, "cells": {text}}}')


def notebook_of_format_2(path: Path, cells: list[str]) -> None:
    sheet = v2.new_worksheet(cells=[v2.new_code_cell(input=cell) for cell in cells])
    _save(path, str(v2.writes_json(v2.new_notebook(worksheets=[sheet]))))


def notebook_of_format_3(path: Path, cells: list[str]) -> None:
    sheet = v3.new_worksheet(cells=[v3.new_code_cell(input=cell) for cell in cells])
    _save(path, str(v3.writes_json(v3.new_notebook(worksheets=[sheet], metadata={"name": HTML}))))


def notebook_of_format_9(path: Path, cells: list[str]) -> None:
    _save(path, '{"nbformat": 9, "cells": []}')


def notebook_of_the_wrong_types(path: Path, cells: list[str]) -> None:
    _save(path, json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": [1, {}, None]}, 7, None]}))


def notebook_of_invalid_utf8(path: Path, cells: list[str]) -> None:
    _save(path, notebook(cells).encode().replace(b"def", b"\xff\xfe\xed\xa0\x80", 1))


def notebook_of_half_pairs(path: Path, cells: list[str]) -> None:
    _save(path, notebook([*cells, "x = '\ud800'"]).replace("\ud800", "\\ud800"))


def notebook_with_nul(path: Path, cells: list[str]) -> None:
    _save(path, notebook([*cells, "x = 1\0"]))


def notebook_that_is_a_pickle(path: Path, cells: list[str]) -> None:
    _save(path, b"\x80\x04cposix\nsystem\n(S'touch /tmp/owned'\ntR.")


def notebook_with_markup_in_every_field(path: Path, cells: list[str]) -> None:
    evil = HTML + TERMINAL + '=cmd|"/c calc"!A1'
    names = {"gradetape": {"assignment": evil}, "otter": {"assignment_name": evil}}
    root = json.loads(notebook(cells, **names, title=evil, authors=[evil]))
    tags = [evil, f"question:{evil}", "question:q01_double<b>"]
    data = {"text/html": evil, "application/javascript": evil}
    page = {"output_type": "display_data", "data": data, "metadata": {}}
    for cell in root["cells"]:
        cell.update(id=evil, metadata={"tags": tags, "name": evil})
        cell["outputs"] = [page, {"output_type": "stream", "name": evil, "text": evil}]
    root["cells"].insert(0, {"cell_type": "markdown", "metadata": {}, "source": evil})
    _save(path, json.dumps(root))


def name_of_markup(path: Path, cells: list[str]) -> None:
    """The worst names of a student and a file that a file system allows."""
    folder = path.with_name(f"{path.name} <img src=x onerror=alert(1)>'\" {TERMINAL}\n=1+1")
    folder.mkdir()
    (folder / "=cmd|' <script>alert(1)<\\script>\r\n[bold]x[\\bold].ipynb").write_text(notebook(cells))


def pipe(path: Path, cells: list[str]) -> None:
    os.mkfifo(path.with_name(path.name + ".ipynb"))


def device(path: Path, cells: list[str]) -> None:
    """An endless device, or a link to one without the permission to create it."""
    target = path.with_name(path.name + ".ipynb")
    try:
        os.mknod(target, 0o600 | stat.S_IFCHR, os.makedev(1, 5))
    except PermissionError:
        target.symlink_to("/dev/zero")


def link_to_the_seed(path: Path, cells: list[str]) -> None:
    path.with_name(path.name + ".py").symlink_to("../course/autograder/seed")


def link_to_the_hidden_checks(path: Path, cells: list[str]) -> None:
    path.mkdir()
    (path / "folder.ipynb").symlink_to("../../course/autograder/target")
    (path / "checks.py").symlink_to("../../course/autograder/target/test_q01_double.py")


def folder_that_is_called_a_notebook(path: Path, cells: list[str]) -> None:
    path.with_name(path.name + ".ipynb").mkdir()


def folders_without_end(path: Path, cells: list[str]) -> None:
    path.mkdir()
    os.makedirs(path.joinpath(*"a" * 60))


def script_in_a_code_of_its_own(path: Path, cells: list[str]) -> None:
    text = "# -*- coding: rot13 -*-\n" + "\n# %%\n".join(cells)
    _save(path, text, ".py")


def script_of_a_million_cells(path: Path, cells: list[str]) -> None:
    _save(path, "\n# %%\n".join(cells) + "\n# %%\n" * (10 << 20), ".py")


def script_of_invalid_utf8(path: Path, cells: list[str]) -> None:
    _save(path, b"\xff\xfe\x00def double(x): pass", ".py")


def script_of_one_line(path: Path, cells: list[str]) -> None:
    deep = "x = " + "(" * 90_000 + ")" * 90_000
    _save(path, "\n# %%\n".join([*cells, deep, "y = " + "-" * 20_000 + "1", "z = " + "+1" * 20_000]), ".py")


MAKERS: dict[str, Maker] = {
    name: maker
    for name, maker in list(globals().items())
    if not name.startswith("_") and getattr(maker, "__module__", "") == __name__ and name not in ("notebook", "Maker")
}
