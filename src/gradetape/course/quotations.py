"""The sentences of a prompt as messages quote them: plain text, since notebooks and terminals show no Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import msgspec
from markdown_it import MarkdownIt

from gradetape.course.requirements import Requirement
from gradetape.records import CheckResult, Verdict

QUOTED = (Verdict.FAILED, Verdict.ERROR)  # the verdicts to which the prompt says something
_MOST = 3
_LENGTH = 240


def with_sentences(result: CheckResult, requirements: Iterable[Requirement]) -> CheckResult:
    """The result with what the prompt says about its check, if it failed or raised."""
    if result.verdict not in QUOTED:
        return result
    return msgspec.structs.replace(result, sentences=quotations(requirements, result.check.requirements))


def quotations(requirements: Iterable[Requirement], ids: Iterable[str]) -> tuple[str, ...]:
    """The texts of those of a prompt's requirements that have these ids, at most three; other ids are left out."""
    texts = {requirement.id: requirement.text for requirement in requirements}
    found = [_quotation(texts[name]) for name in dict.fromkeys(ids) if name in texts]
    return tuple(text for text in found if text)[:_MOST]


@lru_cache(maxsize=4096)  # a prompt's sentence is quoted for every student who fails its check
def _quotation(markdown: str) -> str:
    """A text without the marks of Markdown, with … where it begins or ends within a sentence."""
    text = _plain(markdown)
    if len(text) > _LENGTH:
        text = text[:_LENGTH].rpartition(" ")[0]
    text = text.rstrip(" ,;:")
    # A name in code, with which a sentence may begin, is in lower case too.
    before = "… " if text[:1].islower() and markdown.startswith(text[0]) else ""
    after = "" if text.endswith((".", "!", "?", ")")) or not text else " …"
    return f"{before}{text}{after}"


def _plain(markdown: str) -> str:
    [inline] = MarkdownIt("commonmark").parseInline(markdown)
    kept = [token.content for token in inline.children or () if token.type in ("text", "code_inline", "image")]
    return " ".join("".join(kept).split())
