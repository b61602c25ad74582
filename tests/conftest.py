"""What all tests share: the right value beside each case that passed, and no deadline for an example."""

import hypothesis
import pytest

# A machine that is busy is slow, and no fault of what is tested; pytest-timeout ends what hangs.
hypothesis.settings.register_profile("any-speed", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("any-speed")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line a case."""
    passed = [
        report for report in terminalreporter.stats.get("passed", ()) if dict(report.user_properties).get("right")
    ]
    for report in passed if terminalreporter.config.option.verbose >= 0 else ():
        name = report.nodeid.rpartition("[")[2].rstrip("]")
        terminalreporter.write_line(f"PASS {name}: {dict(report.user_properties)['right']}")
