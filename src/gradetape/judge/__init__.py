"""The judge: a pytest plugin, whose fixtures reach the workers."""
