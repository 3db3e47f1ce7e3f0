"""The exit statuses of every verb."""

OK, ATTENTION, WRONG, INTERRUPTED = 0, 1, 2, 130
