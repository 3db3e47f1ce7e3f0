"""The exit statuses of the commands."""

OK, ATTENTION, WRONG, INTERRUPTED = 0, 1, 2, 130
