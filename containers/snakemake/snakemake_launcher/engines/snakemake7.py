"""The engine's process for Snakemake 7: Snakemake's command line, with additions for Tibanna.

`python3 -m snakemake_launcher.engines.snakemake7 ARGUMENTS` is `snakemake ARGUMENTS`.
"""

import sys
from pathlib import Path

import snakemake
from snakemake.workflow import Workflow

from snakemake_launcher.engines import s3_folders, tibanna_jobs
from snakemake_launcher.engines.options import Options
from snakemake_launcher.engines.signals import listen_to_sigint_only
from snakemake_launcher.engines.sources import Sources, run_local_rules_as_jobs, tell_lost_files
from snakemake_launcher.events import emit
from snakemake_launcher.genolaunch_job import keep_commas_of_wildcards, know_own_paths, use_plain_checkpoints


def main() -> None:
    """Snakemake's main, which exits by itself."""
    listen_to_sigint_only()
    options = Options.read()
    sources = Sources(options)
    tibanna_jobs.give_setter_back()
    tibanna_jobs.find_targets(options)
    tibanna_jobs.keep_paths(options)
    tibanna_jobs.send_sources(options, sources)
    tibanna_jobs.run_in_containers()
    tibanna_jobs.check_outputs_in_jobs()
    tibanna_jobs.keep_checkpoints(options, sources)
    tibanna_jobs.remove_temporary()
    tibanna_jobs.know_other_code(options)
    tibanna_jobs.refuse_what_cannot_be(options, sources)
    know_own_paths(sources.view)
    tibanna_jobs.empty_folders(options)
    tibanna_jobs.name_jobs_by_run(options)
    tibanna_jobs.remember_ids()
    tibanna_jobs.tell_submissions()
    tibanna_jobs.tell_ends()
    tibanna_jobs.bring_sources(options, sources)
    run_local_rules_as_jobs(Workflow)
    tell_lost_files(Workflow, sources)
    use_plain_checkpoints(sources.view)
    keep_commas_of_wildcards()
    s3_folders.install()
    sources.view.install()
    emit("started", version=snakemake.__version__)
    handler = Path(__file__).with_name("log_handler.py")
    snakemake.main(["--log-handler-script", str(handler), *sys.argv[1:]])


if __name__ == "__main__":
    main()
