"""Checks of the whole app that are more than a test: `make nag`, `make audit`."""
