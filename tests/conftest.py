"""Prints the right value beside each case that passed."""

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line a case."""
    passed = [
        report for report in terminalreporter.stats.get("passed", ()) if dict(report.user_properties).get("right")
    ]
    for report in passed if terminalreporter.config.option.verbose >= 0 else ():
        name = report.nodeid.rpartition("[")[2].rstrip("]")
        terminalreporter.write_line(f"PASS {name}: {dict(report.user_properties)['right']}")
