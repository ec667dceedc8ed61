"""Lessons: data files, the checks that they name, and the engine that tells what is still missing."""
