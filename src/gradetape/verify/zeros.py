"""The last cell of the adversary *zeros*; it runs in the worker and is never imported here."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

import tensorflow as tf


def _zeros(value: Any) -> Any:
    if callable(value) and not isinstance(value, type):
        return _zeroed(value)
    if isinstance(value, tf.data.Dataset):
        return value.map(lambda *parts: tf.nest.map_structure(tf.zeros_like, parts))
    try:
        return tf.nest.map_structure(tf.zeros_like, value)
    except (TypeError, ValueError):
        return value


def _zeroed(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def zeroed(*args: Any, **kwargs: Any) -> Any:
        return _zeros(function(*args, **kwargs))

    return zeroed


for _name, _value in list(globals().items()):
    if isinstance(_value, types.FunctionType) and not _name.startswith("_"):
        globals()[_name] = _zeroed(_value)
    if isinstance(_value, type) and _value.__module__ == "__main__":
        for _method in {"call", "result", "__call__"} & set(vars(_value)):
            setattr(_value, _method, _zeroed(vars(_value)[_method]))
