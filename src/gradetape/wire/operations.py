"""The operations that the judge requests from a worker, and the kinds of reply."""

from __future__ import annotations

from enum import StrEnum, unique


@unique
class Operation(StrEnum):
    """The operation of a request; the worker has one function for each member."""

    HELLO = "hello"
    """Prepares TensorFlow; its devices and versions. The first request to every worker."""
    CELL = "cell"
    """Runs one cell: its index, its source, whether to run only its definitions, and its question if it has one."""
    REST = "rest"
    """Restores the settings of the process from before the first cell."""
    CHANGED = "changed"
    """Restores the settings likewise; what the cells replaced in NumPy, TensorFlow and Keras."""
    SEED = "seed"
    """Begins a check: drops the functions that the one before had sent, restores the settings of the process with which
    the cells of the check's question ended, and seeds Python, NumPy and TensorFlow."""
    OUTPUT = "output"
    """The text printed since the last request; it is then discarded."""
    NAME = "name"
    """A name of the submission."""
    MODULE = "module"
    """The module `tf` or `keras`."""
    GETATTR = "getattr"
    SETATTR = "setattr"
    DELATTR = "delattr"
    CALL = "call"
    """Calls an object: its positional arguments as a list, its keyword arguments as a dict."""
    GETITEM = "getitem"
    SETITEM = "setitem"
    LEN = "len"
    ITER = "iter"
    NEXT = "next"
    """The next item of an iterator in a list; an empty list at its end."""
    ENTER = "enter"
    EXIT = "exit"
    ISINSTANCE = "isinstance"
    ISSUBCLASS = "issubclass"
    NUMBERS = "numbers"
    """A tensor's or variable's numbers as an array."""
    FOLDER = "folder"
    """A new empty folder."""
    READ_TREE = "read_tree"
    """The regular files below a folder."""
    WRITE_TREE = "write_tree"
    """A new folder with the given files in it."""


@unique
class ReplyKind(StrEnum):
    """How an operation ended; it follows the sequence number in every reply."""

    OK = "ok"
    """With a value."""
    MISSING = "missing"
    """The submission does not define the name."""
    RAISED = "raised"
    """With an exception: the names of its classes, its own name, its text, and the student's lines of its traceback."""
