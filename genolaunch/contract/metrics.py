"""The functions' own metrics."""

from enum import StrEnum
from typing import Final


class Metric(StrEnum):
    """The functions' own metrics that alarms watch or the dashboard shows.

    Their namespace is PROJECT, their dimensions are `stage` and `service` (<capability>.<module>).
    """

    PLATFORM_FAULTS = "PlatformFaults"  # launches that FAILED through no fault of their authors; service: ANY_SERVICE
    SICK_LAUNCHES = "SickLaunches"  # items of the launch table that cannot be read, each time; service: ANY_SERVICE
    LEFTOVERS_OVERDUE = "LeftoversOverdue"
    LOST_REQUESTS = "LostRequests"
    LOST_ENDINGS = "LostEndings"
    LAUNCHES_WAITING = "LaunchesWaiting"  # launches that are QUEUED
    LONGEST_WAIT = "LongestWait"  # seconds since the oldest of them became QUEUED
    SLOTS_TAKEN = "SlotsTaken"
    JOBS_FAILED = "JobsFailed"  # that ended a launch
    ERRORS_IN_LOGS = "ErrorsInLogs"  # lines of jobs' logs that name an error
    JOBS_RESUBMITTED = "JobsResubmitted"  # failed jobs whose tasks other jobs do again
    LAUNCH_COST = "LaunchCost"  # USD of an attempt, when it is priced; dimension `workflow` besides
    STEP_SECONDS = "StepSeconds"  # of an attempt, when it is priced; dimensions `workflow` and `step` besides


ANY_SERVICE: Final = "any"
"""`service` of a metric that several functions put and an alarm watches as one: alarms cannot search."""
