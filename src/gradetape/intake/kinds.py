"""What the bytes of a file are, whatever its name says."""

from __future__ import annotations

from gradetape.errors import SubmissionError

_DOWNLOAD = "Download the notebook itself (in Jupyter and Colab: File > Download > .ipynb), and hand it in."
_KINDS = (
    ((b"\x1f\x8b",), "The file is compressed with gzip. Unpack it, and hand in the notebook."),
    ((b"Rar!",), "The file is a RAR archive. Unpack it, and hand in the notebook."),
    ((b"7z\xbc\xaf\x27\x1c",), "The file is a 7-Zip archive. Unpack it, and hand in the notebook."),
    ((b"%PDF",), f"The file is a PDF. {_DOWNLOAD}"),
    ((b"<!doctype html", b"<html"), f"The file is a web page (HTML), not a notebook. {_DOWNLOAD}"),
    ((b"\xff\xfe", b"\xfe\xff"), "The file is UTF-16 text, not UTF-8 text. Save it as UTF-8."),
)
_ZIP = (b"PK\x03\x04",)
_BOM = b"\xef\xbb\xbf"


def refuse_disguised(suffix: str, data: bytes) -> None:
    """Raises SubmissionError, which says what the file is, if its bytes begin as those of another kind."""
    start = data[:1024].removeprefix(_BOM).lstrip().lower()
    for signatures, reason in _KINDS:
        if data.startswith(signatures) or start.startswith(signatures):
            raise SubmissionError(reason)
    if suffix != ".zip" and data.startswith(_ZIP):
        raise SubmissionError(f"The file is a zip with the ending {suffix}. Unpack it, and hand in the notebook in it.")
    if suffix == ".zip" and start.startswith(b"{"):
        raise SubmissionError("The file is not a zip: it looks like a notebook. Rename it, so that it ends in .ipynb.")


def decoded(data: bytes) -> str:
    """The text of a file. Raises SubmissionError, with the line and its bytes, if it is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line, byte = data.count(b"\n", 0, problem.start) + 1, data[problem.start]
        raise SubmissionError(
            f"The file is not UTF-8 text (byte {problem.start:,}, in line {line:,}, is {byte:#04x}"
            f"{_in_latin_1(data, problem.start)}). Save it as UTF-8."
        ) from None


def _in_latin_1(data: bytes, at: int) -> str:
    """What the byte and the letters around it would be in Latin-1, where they make a word."""
    around = data[max(at - 10, 0) : at + 10].decode("latin-1")
    letter = data[at : at + 1].decode("latin-1")
    word = next((each for each in around.split() if letter in each and each.isalpha()), "")
    return f", as in '{word}' in Latin-1" if word else ""
