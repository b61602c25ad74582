"""Writes the generated parts of docs/ (`make reference`). It synthesizes a stage once for all of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from checks import diagrams, embedded_cloud_reference, idle_cost, launch_reference, settings_reference
from genolaunch.launch_configs.models import launch_schema

SCHEMA: Final = Path(__file__).parents[1] / "docs" / "launch-schema.json"


def main() -> None:
    """Update what is generated: of launch configs, settings, the diagrams, an idle stage's cost, the embedded cloud."""
    SCHEMA.write_text(json.dumps(launch_schema(), indent=2) + "\n", encoding="utf-8")
    templates = diagrams.templates_of_a_stage()
    diagrams.PAGE.write_text(diagrams.page(templates), encoding="utf-8")
    settings_reference.PAGE.write_text(settings_reference.page(), encoding="utf-8")
    embedded_cloud_reference.PAGE.write_text(embedded_cloud_reference.page(), encoding="utf-8")
    _renew(launch_reference.PAGE, launch_reference.with_tables)
    _renew(idle_cost.PAGE, lambda page: idle_cost.with_table(page, templates))


def _renew(page: Path, renewed: Callable[[str], str]) -> None:
    page.write_text(renewed(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
