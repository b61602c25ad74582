"""Errors of a job, with the exit code by which Batch and collect_failures recognise each."""

from __future__ import annotations

import signal


class RunnerError(Exception):
    """The task failed: its command, or a check of what the command wrote. The message is one sentence for people."""

    exit_code = 1


class UsageError(RunnerError):
    """The job was started wrongly: unknown phase or missing environment variable."""

    exit_code = 2


class FileSystemMissingError(RunnerError):
    """The launch's file system is not mounted, or another launch's is."""

    exit_code = 3


class InputsChangedError(RunnerError):
    """Files that the launch reads are not those that it was planned for."""

    exit_code = 4


class CommandKilledError(RunnerError):
    """A signal ended the command; the exit code is the shell's 128 + signal, so 137 usually means a lack of memory."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number


class Stopped(BaseException):
    """The job was asked to stop (SIGTERM: cancelled, timed out, or the Spot instance is being reclaimed).

    Not an Exception, like KeyboardInterrupt: only what passes the signal on, and the command line, may catch it.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"Stopped by {signal.Signals(signal_number).name}.")
        self.signal_number = signal_number
        self.exit_code = 128 + signal_number
