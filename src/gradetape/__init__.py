"""gradetape: auto-graded TensorFlow and Keras coursework, with the checks isolated from the students' code."""

__version__ = "0.1.0"
