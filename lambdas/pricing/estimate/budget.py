"""A launch's budget: reads it from the config, and decides what to do when it is exceeded."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from genolaunch.contract.launch import BudgetAction
from lambdas.shared.launch import Launch


@dataclass(frozen=True, slots=True)
class Budget:
    """The limit in USD, and what it is for."""

    limit: Decimal
    action: BudgetAction

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "Budget | None":
        """The budget of a checked launch config, if it has one."""
        given = config.get("budget")
        return cls(Decimal(str(given["limit"])), BudgetAction(given["action"])) if given else None

    def agreed(self, launch: Launch) -> Decimal:
        """The limit, or more if a person agreed to that."""
        approved = launch.approved_budget
        return max(self.limit, Decimal(approved)) if approved else self.limit


def above_estimate(launch_id: str, budget: Budget, estimate: Mapping[str, Any]) -> str:
    """Why a launch waits, or is warned of, before it starts."""
    text = (
        f"It is estimated to cost {estimate['usd']} USD ({estimate['low']} to {estimate['high']}; "
        f"{estimate['basis']}), more than its budget of {budget.limit:f} USD."
    )
    if budget.action is BudgetAction.WARN:
        return text
    return f"{text} To run it: `genolaunch approve {launch_id}`; to cancel it: `genolaunch cancel {launch_id}`."


def passed(spent: Decimal, limit: Decimal, budget: Budget) -> str:
    """Why a running launch is cancelled, or warned of."""
    what = "It was cancelled" if budget.action is BudgetAction.HOLD else "It goes on"
    return f"{what}: it has cost {spent:.2f} USD so far, more than its budget of {limit:f} USD."
