"""Grades to pages: pure functions of their input."""
