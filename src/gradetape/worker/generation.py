"""The Keras generation in force: Keras 3, or tf-keras where `TF_USE_LEGACY_KERAS` is set."""

from __future__ import annotations

import os
from typing import Any

LEGACY = os.environ.get("TF_USE_LEGACY_KERAS") == "1"


def _generation() -> Any:
    if LEGACY:
        import tf_keras

        return tf_keras
    import keras

    return keras


keras = _generation()
