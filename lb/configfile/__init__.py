"""Reads `lb.yaml`: text to `lb.model.config.Config`, or every problem of the file with its line."""
