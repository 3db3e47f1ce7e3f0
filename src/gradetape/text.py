"""Makes untrusted text safe to show on a page, in a terminal and in a spreadsheet."""

from __future__ import annotations

import difflib
import hashlib
import re
import shlex
import unicodedata
from collections.abc import Iterable

_SHOWN = 5
# Letters that are no letter with an accent to Unicode, but are sorted and looked for as if they were.
_LETTERS = str.maketrans({
    "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "ħ": "h", "Ħ": "H", "\u0131": "i",
    "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "þ": "th", "Þ": "TH", "ß": "ss",
})  # fmt: skip
_UNSAFE = re.compile(r"[^\n\t -~]")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ADDRESS = re.compile(r"(?<= at )0x[0-9a-fA-F]{6,16}\b")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
# The full-width forms count as operators in spreadsheets of East Asian locales.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001


def printable(text: str, limit: int = 2000) -> str:
    r"""Show invisible characters as escapes, such as `\x1b` or `\u202e`, and cut after `limit` characters.

    Newlines, tabs, letters, marks and symbols of every script are kept. Control and format characters (terminal
    escapes, bidirectional and zero-width characters), surrogates, private and unassigned characters are escaped.
    """
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text
    left_out = len(text) - limit
    shown = _UNSAFE.sub(lambda found: _visible(found[0]), text[:limit].replace("\r\n", "\n"))
    return f"{shown}… ({left_out} more characters)" if left_out > 0 else shown


def one_line(text: str, limit: int = 2000) -> str:
    """Like `printable`, on one line: newlines and tabs, which file names may contain, are escaped too."""
    return printable(text, limit).replace("\n", r"\n").replace("\t", r"\t")


def without_addresses(text: str) -> str:
    """Leaves out where objects lie in memory, as in `<f at 0x7fcd752e0c20>`: it is different in each run."""
    return _ADDRESS.sub("0x…", text)


def few(names: Iterable[str]) -> str:
    """The first five names, and the number of the others."""
    shown = list(names)
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more


def few_lines(lines: Iterable[str], most: int = 20) -> list[str]:
    """The first lines, indented and without line breaks, and a last one with the number of the others."""
    found = list(lines)
    more = [f"  and {len(found) - most} more"] if len(found) > most else []
    return [*(f"  {one_line(line)}" for line in found[:most]), *more]


def composed(text: str) -> str:
    """A text in composed characters (NFC): é can be written as one character or as two, and is then one."""
    return unicodedata.normalize("NFC", text)


def plain(text: str) -> str:
    """A text without accents and capitals, for comparisons: `Zoë` and `ZOE` are both `zoe`."""
    letters = unicodedata.normalize("NFKD", text.translate(_LETTERS).casefold().translate(_LETTERS))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def collation_key(text: str) -> tuple[str, str, str]:
    """The place of a text in a sorted list, in any script: ç is beside c, and accents and capitals decide last.

    An approximation of the Unicode Collation Algorithm (UTS 10): letters first, then accents, then case, where lower
    case comes first. Scripts follow each other in the order of their code points.
    """
    return plain(text), unicodedata.normalize("NFKD", text.casefold()), text.swapcase()


def text_digest(text: str) -> str:
    """Equal for texts that are the same; spaces around them and at the ends of lines do not count."""
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()


def counted(number: int, noun: str) -> str:
    """A number with its noun, such as `1 check` and `2 checks`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """` Did you mean 'limits'?`, or an empty text if no name is similar."""
    near = difflib.get_close_matches(word, list(names), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def as_points(number: float) -> str:
    """Points as people write them: `1 point`, `0.5 points` and `0 points`."""
    shown = f"{number:g}"
    return f"{shown} {'point' if shown == '1' else 'points'}"


def as_duration(seconds: float) -> str:
    """A duration as people write it: `12.3 s`, `4 min 5 s` and `3 h 12 min`."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return "{} h {} min".format(*divmod(round(seconds / 60), 60))


def shell_word(text: str) -> str:
    r"""A word of a bash or zsh command line; invisible characters become bytes: `$'zero\xe2\x80\x8bwidth'`."""
    if one_line(text, len(text)) == text:
        return shlex.quote(text)
    return f"$'{''.join(map(_shell_letter, text))}'"


def _shell_letter(letter: str) -> str:
    if letter in "\\'":
        return f"\\{letter}"
    if one_line(letter) == letter:
        return letter
    # In a file name that is not UTF-8, the system gives a lone surrogate for each such byte.
    alone = "\udc80" <= letter <= "\udcff"
    return "".join(f"\\x{byte:02x}" for byte in letter.encode("utf-8", "surrogateescape" if alone else "surrogatepass"))


def strip_ansi(text: str) -> str:
    """Text without terminal colours, which Keras puts into its messages; other escapes are kept."""
    return _COLOUR.sub("", text)


def spreadsheet(text: str) -> str:
    """A cell that a spreadsheet shows but never evaluates; a number stays a number."""
    if _NUMBER.fullmatch(text):
        return text
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] != "C" and category not in ("Zl", "Zp"):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
