"""A run sheet as the platform writes it."""

from typing import Any

MACHINE = "arn:aws:states:eu-west-1:111111111111:stateMachine:tibanna_unicorn_genolaunch_dev"


def sheet(**changes: Any) -> dict[str, Any]:
    return {
        "launchId": "calls",
        "attempt": 1,
        "engine": "tibanna",
        "sources": "s3://launch/snakefiles/calls/",
        "snakefile": "Snakefile",
        "targets": ["all"],
        "config": {"samples": ["A", "B"]},
        "spot": True,
        "retries": 3,
        "jobs": 100,
        "containerImage": "repo/genolaunch-snakemake:1",
        "remotePrefix": "data/run42/",
        "resultsUri": "s3://results/results/calls/",
        "tibanna": {
            "stateMachineArn": MACHINE,
            "logBucket": "logs",
            "token": "the-launchs-own",
            "behaviorOnCapacityLimit": "retry_without_spot",
        },
    } | changes
