"""The settings that hold for a whole process: those of Keras, TensorFlow, NumPy, and Python's warnings.

Checks run after all cells. A setting of the last cell would change the checks of every question, so each question is
checked under the settings that were in force where its own cells ended.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.python.data.ops import debug_mode
from tensorflow.python.eager import context
from tensorflow.python.framework import config

from gradetape.worker.generation import LEGACY, keras

_UNSET = "unset"
_BEGINNING = "\0"  # no question
_LEGACY_KERAS = "TF_USE_LEGACY_KERAS"
_TOLD = 60


class Setting(NamedTuple):
    """A setting, how it is read, how it is set, and which changes of it are told. `usual` is what it is while unset."""

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], object]
    told: Callable[[Any, Any], bool] = lambda _before, _now: True
    usual: str = _UNSET

    def described(self, before: Any, now: Any) -> str:
        """A change for student and staff; empty if there is none."""
        texts = [self.usual if value == _UNSET else str(getattr(value, "name", value)) for value in (before, now)]
        if now == before or texts[0] == texts[1] or not self.told(before, now):
            return ""
        return f"{self.name} ({' → '.join(texts)})" if len("".join(texts)) < _TOLD else self.name


def _keras_attribute(name: str, attribute: str, usual: object) -> Setting:
    """A setting that Keras 3 keeps as an attribute: reading it through Keras would set it."""
    tracker = keras.src.backend.common.global_state.GLOBAL_STATE_TRACKER

    def write(value: Any) -> None:
        if value != _UNSET:
            setattr(tracker, attribute, value)
        elif hasattr(tracker, attribute):
            delattr(tracker, attribute)

    return Setting(name, lambda: getattr(tracker, attribute, _UNSET), write, usual=str(usual))


def _of_keras() -> tuple[Setting, ...]:
    if LEGACY:
        mixed = keras.mixed_precision
        return (
            Setting("Keras's dtype policy", mixed.global_policy, mixed.set_global_policy),
            Setting("Keras's floatx", keras.backend.floatx, keras.backend.set_floatx),
            Setting("Keras's epsilon", keras.backend.epsilon, keras.backend.set_epsilon),
            Setting("Keras's image format", keras.backend.image_data_format, keras.backend.set_image_data_format),
        )
    own = keras.config
    return (
        _keras_attribute("Keras's dtype policy", "dtype_policy", "float32"),
        _keras_attribute("Keras's traceback filtering", "traceback_filtering", True),
        _keras_attribute("Keras's interactive logging", "interactive_logging", True),
        _keras_attribute("Keras's safe mode", "safe_mode_saving", None),
        _keras_attribute("Keras's flash attention", "flash_attention", None),
        Setting("Keras's floatx", own.floatx, own.set_floatx),
        Setting("Keras's epsilon", own.epsilon, own.set_epsilon),
        Setting("Keras's image format", own.image_data_format, own.set_image_data_format),
    )


def _set_eager(eager: bool) -> None:
    """Undoes `tf.compat.v1.disable_eager_execution`, or does it again."""
    context.default_execution_mode = context.EAGER_MODE if eager else context.GRAPH_MODE
    context.context()._thread_local_data.is_eager = eager


def _set_numerics(checked: bool) -> None:
    (tf.debugging.enable_check_numerics if checked else tf.debugging.disable_check_numerics)()


def set_determinism(on: bool) -> None:
    """Makes TensorFlow's operations deterministic, or no longer."""
    (config.enable_op_determinism if on else config.disable_op_determinism)()


def _set_traceback_filtering(on: bool) -> None:
    (tf.debugging.enable_traceback_filtering if on else tf.debugging.disable_traceback_filtering)()


def _checks_numerics() -> bool:
    from tensorflow.python.debug.lib import check_numerics_callback

    return hasattr(check_numerics_callback._state, "check_numerics_callback")


def _filters() -> tuple[Any, ...]:
    return tuple(warnings.filters)


def _raises_more(before: tuple[Any, ...], now: tuple[Any, ...]) -> bool:
    """Whether warnings are errors that were none: libraries add other filters when they are imported."""
    return any(each[0] == "error" and each not in before for each in now)


def _set_filters(filters: tuple[Any, ...]) -> None:
    warnings.resetwarnings()  # also forgets which warnings have been shown
    warnings.filters[:] = filters  # type: ignore[index]


SETTINGS = (
    *_of_keras(),
    Setting("eager execution", tf.executing_eagerly, _set_eager),
    Setting("running functions eagerly", tf.config.functions_run_eagerly, tf.config.run_functions_eagerly),
    Setting("tf.data's debug mode", lambda: debug_mode.DEBUG_MODE, debug_mode.toggle_debug_mode),
    Setting("the determinism of operations", config.is_op_determinism_enabled, set_determinism),
    Setting("checks of numerics", _checks_numerics, _set_numerics),
    Setting("TensorFlow's traceback filtering", tf.debugging.is_traceback_filtering_enabled, _set_traceback_filtering),
    Setting("soft device placement", tf.config.get_soft_device_placement, tf.config.set_soft_device_placement),
    Setting("TF32", config.tensor_float_32_execution_enabled, config.enable_tensor_float_32_execution),
    Setting("the compiler XLA", tf.config.optimizer.get_jit, lambda on: tf.config.optimizer.set_jit(on or False)),
    Setting("NumPy's floating-point errors", np.geterr, lambda kinds: np.seterr(**kinds)),
    Setting("NumPy's print options", np.get_printoptions, lambda options: np.set_printoptions(**options)),
    Setting("which warnings are errors", _filters, _set_filters, _raises_more),
)


def recorded() -> dict[str, Any]:
    """The value of each setting that can be read."""
    return dict(_read())


def restore(values: dict[str, Any]) -> None:
    """Sets what differs from these values."""
    now = recorded()
    for setting in SETTINGS:
        if setting.name in values and values[setting.name] != now.get(setting.name, _UNSET):
            with suppress(Exception):  # a submission may have replaced what sets it
                setting.write(values[setting.name])


def _read() -> Iterator[tuple[str, Any]]:
    for setting in SETTINGS:
        with suppress(Exception):  # or what reads it
            yield setting.name, setting.read()


class QuestionSettings:
    """The settings where the cells of each question ended.

    Without cells of its own a question is checked under those where the last cell ended that belongs to no question, or
    else under those of the beginning.
    """

    __slots__ = ("_last", "_of")

    def __init__(self) -> None:
        self._of: dict[str, dict[str, Any]] = {}
        self._last: list[dict[str, Any]] = []

    def begin(self) -> None:
        """Records the settings before the first cell."""
        if not self._of:
            self._of[_BEGINNING] = self._of[""] = recorded()
            self._last[:] = [self._of[""]]

    def record(self, question: str) -> str:
        """Records those where a cell of a question, or of none, has ended; describes what the cell changed."""
        [before], now = self._last, recorded()
        self._of[question] = now
        self._last[:] = [now]
        known = [each for each in SETTINGS if each.name in before and each.name in now]
        changes = [each.described(before[each.name], now[each.name]) for each in known]
        told = ", ".join(filter(None, changes))
        changed = [f"changes {told}; the checks of each question run under the settings at the end of its own cells"]
        return "\n".join([*_legacy_keras(), *(changed if told else ())])

    def reset(self) -> None:
        """Restores the settings from before the first cell."""
        self.restore(_BEGINNING)

    def restore(self, question: str) -> None:
        """Restores the settings of a question."""
        if self._of:
            restore(self._of.get(question, self._of[""]))


def _legacy_keras() -> Iterator[str]:
    """Tells that a notebook cannot choose the generation of Keras, and takes its choice back."""
    chosen = os.environ.get(_LEGACY_KERAS, "") in ("1", "true", "True")
    if chosen != LEGACY:
        os.environ.pop(_LEGACY_KERAS, None)
        if LEGACY:
            os.environ[_LEGACY_KERAS] = "1"
        used = "tf_keras (Keras 2)" if LEGACY else "Keras 3"
        yield f"{_LEGACY_KERAS} had no effect: this course is graded with {used}, and `tf.keras` is that one"
