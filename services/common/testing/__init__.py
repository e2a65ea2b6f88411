"""Fakes that behave as what they stand for: the same contract tests run on both."""
