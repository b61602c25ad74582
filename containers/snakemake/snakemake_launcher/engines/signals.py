"""Signals of the engine's process, which Snakemake 7 and 9 treat alike."""

import signal


def listen_to_sigint_only() -> None:
    """SIGINT, by which Snakemake cancels its jobs, is heard; SIGTERM is not."""
    # Snakemake takes SIGTERM for "end when the running jobs have". The launcher says what is to end, by SIGINT, and a
    # signal to the whole group must not come before it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    # A process that a shell started in the background ignores SIGINT; Snakemake must hear it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
