"""Shows the progress of a restore."""

from rich.console import Group, RenderableType

from genolaunch.render.words import facts_grid, moment_text, plain_table, shown, size_text
from genolaunch.restores import Restore


def restore_view(restore: Restore) -> RenderableType:
    """The progress of a restore, and the objects that cannot be restored."""
    facts = facts_grid()
    so_far = "" if restore.counted else " so far (S3 still lists them)"
    rows = {
        "Launch": restore.launch_id,
        "Tier": restore.tier,
        "Objects": f"{restore.restored:,} of {restore.objects:,}{so_far}",
        "Bytes": f"{size_text(restore.restored_bytes)} of {size_text(restore.bytes)}",
        "Failed": f"{restore.failed:,}" if restore.failed else None,
        "Expected": moment_text(restore.expected_at),
        "Gives up": moment_text(restore.gives_up_at),
    }
    for name, value in rows.items():
        if value is not None:
            facts.add_row(name, shown(value))
    if not restore.failed_objects:
        return facts
    table = plain_table("Object", "Reason")
    for each in restore.failed_objects:
        table.add_row(shown(each.uri), shown(each.reason))
    return Group(facts, "", table)
