"""The functions. While one starts on Lambda, no garbage is collected (docs/decisions/123-what-a-start-imports.md)."""

import gc
import os

if "LAMBDA_TASK_ROOT" in os.environ:  # developer guide, "Defined runtime environment variables"
    gc.disable()  # until the function is made: lambdas.shared.function
