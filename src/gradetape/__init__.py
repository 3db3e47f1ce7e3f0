"""gradetape: auto-graded TensorFlow and Keras coursework, judged from behind a wall."""

__version__ = "0.1.0"
