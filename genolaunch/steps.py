"""The steps of a workflow, as everybody reads them: see genolaunch.shared.steps."""

from genolaunch.shared.steps import Step, StepState, read_steps, steps_of

__all__ = ["Step", "StepState", "read_steps", "steps_of"]
