"""Launch configs: what may be written in one, with every rule, and how one is read.

The command line and the functions import it, and it is in every function's bundle. It needs pydantic and PyYAML.
"""
