"""What a kernel sends to the notebook that shows it: values and displays. Here nothing is shown but printed text."""

from __future__ import annotations

from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher

# Pictures are drawn only to be shown.
SHOWN = (
    "text/plain", "text/html", "text/markdown", "text/latex", "application/json", "application/javascript",
)  # fmt: skip


class KernelDisplayHook(DisplayHook):
    """Formats the value of a cell's last expression, and keeps it as `_` and `Out`."""

    def write_output_prompt(self) -> None:
        """There is no prompt."""

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        """The value is not printed."""

    def log_output(self, format_dict: Any) -> None:
        """The text is not kept."""

    def finish_displayhook(self) -> None:
        """Ends the display of a value."""
        self._is_active = False


class KernelDisplayPublisher(DisplayPublisher):
    """Takes what `display` publishes, and clears the printed text for `clear_output`."""

    def publish(self, data: Any, metadata: Any = None, *_: Any, **__: Any) -> None:
        """Raises TypeError for anything but dicts."""
        self._validate_data(data, metadata)

    def clear_output(self, wait: bool = False) -> None:
        """Discards what the cell has printed, with `wait` when it prints something else."""
        if wait:
            self.shell.output.clear_before_next()
        else:
            self.shell.output.clear()
