"""Plots as inline SVG in the colours of the page, light or dark."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from gradetape.records import Verdict
from gradetape.report.analysis import Distribution
from gradetape.report.html import slug

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Placeholders for matplotlib; in the SVG they are replaced by the page's own colours.
_COLOURS = {"#000000": "var(--ink)", "#010101": "var(--link)"} | {
    f"#02{place:02x}02": f"var(--{verdict})" for place, verdict in enumerate(Verdict)
}
_COLOUR_OF = {name: code for code, name in _COLOURS.items()}
_WIDTH_IN = 5.0  # on a phone the page shrinks a plot and its text
_SETTINGS: dict[Any, Any] = {"svg.fonttype": "none", "text.parse_math": False, "font.size": 10}
_LEGEND: dict[str, Any] = {"ncols": 4, "frameon": False, "handlelength": 1, "columnspacing": 1}
_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def points(spread: Distribution) -> Markup:
    """A histogram: the number of students by points."""

    def draw(axes: Axes) -> None:
        axes.stairs(spread.counts, spread.edges, fill=True, color=_COLOUR_OF["var(--link)"])
        axes.set_xlabel("points")
        axes.set_ylabel("students")
        axes.locator_params(axis="y", integer=True, nbins=5)

    return _svg("points", 2.2, draw)


def verdicts(shares: Mapping[str, Mapping[Verdict, int]]) -> Markup:
    """A bar for each question: the share of each verdict among its checks, by question id."""
    names = [slug(question_id.partition("_")[0])[:12] for question_id in shares]

    def draw(axes: Axes) -> None:
        left = [0.0] * len(names)
        for verdict in Verdict:
            widths = [100 * counts.get(verdict, 0) / max(sum(counts.values()), 1) for counts in shares.values()]
            if any(widths):
                color = _COLOUR_OF[f"var(--{verdict})"]
                axes.barh(range(len(names)), widths, left=left, color=color, label=verdict.value)
            left = [start + width for start, width in zip(left, widths, strict=True)]
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set_xlabel("% of the checks")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), **_LEGEND)

    return _svg("verdicts", 1.6 + 0.22 * len(names), draw)


def _svg(name: str, height_in: float, draw: Callable[[Axes], None]) -> Markup:
    """The SVG of what `draw` draws on the axes. matplotlib takes a second to import, so only pages import it."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    file = io.StringIO()
    with rc_context({**_SETTINGS, "svg.hashsalt": name}):
        figure = Figure(figsize=(_WIDTH_IN, height_in), layout="constrained")
        axes = figure.subplots()
        axes.spines[["top", "right"]].set_visible(False)
        draw(axes)
        figure.savefig(file, format="svg", transparent=True, metadata=_METADATA)
    return Markup(_within_page(file.getvalue()))


def _within_page(svg: str) -> str:
    """The SVG element for inlining: no prologue, no global styles, no ids that two plots could share."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<style.*?</style>|<metadata.*?</metadata>|<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r'<g id="[^"]*">', "<g>", body)
    body = re.sub(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"', r'\1 aria-hidden="true"', body)
    body = re.sub(r" font-family: [^;]*;", "", body)
    return re.sub("|".join(_COLOURS), lambda found: _COLOURS[found[0]], body)
