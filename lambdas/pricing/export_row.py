"""A priced attempt as a row of the table that BI tools read (genolaunch.contract.cost.EXPORTED_COLUMNS)."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from genolaunch.contract.cost import PRICED_PREFIX
from genolaunch.launch_configs.workflows import engine_of
from genolaunch.shared import aws
from lambdas.pricing.usage import seconds_between
from lambdas.shared.launch import Launch


def put_row(bucket: str, stage: str, launch: Launch, bill: Mapping[str, Any]) -> None:
    """Write the row for the next daily export: one line of JSON, below the day on which the attempt was priced."""
    key = f"{PRICED_PREFIX}day={bill['pricedAt'][:10]}/{launch.launch_id}-{bill['attempt']}.json"
    body = json.dumps(row(stage, launch, bill)) + "\n"
    aws.client("s3").put_object(Bucket=bucket, Key=key, Body=body.encode(), ContentType="application/json")


def row(stage: str, launch: Launch, bill: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row's values by column: times and amounts as text, unknown values as null."""
    return {
        "launch_id": launch.launch_id,
        "attempt": bill["attempt"],
        "stage": stage,
        "name": launch.name,
        "workflow": launch.workflow,
        "engine": engine_of(launch.workflow, launch.config if launch.config_json else {}),
        "compute_service": launch.compute_service,
        "requested_by": launch.requested_by,
        "status": launch.status.value,
        "data_path": launch.data_path,
        "submitted_at": launch.submitted_at,
        "started_at": launch.started_at,
        "ended_at": launch.ended_at,
        "priced_at": bill["pricedAt"],
        "run_seconds": _run_seconds(launch),
        "total_cost": bill["totalCost"],
        "instance_cost": bill["instanceCost"],
        "volume_cost": bill["volumeCost"],
        "filesystem_cost": bill["filesystemCost"],
        "currency": bill["currency"],
    }


def _run_seconds(launch: Launch) -> float | None:
    if not (launch.started_at and launch.ended_at):
        return None
    return float(seconds_between(datetime.fromisoformat(launch.started_at), datetime.fromisoformat(launch.ended_at)))
