"""The commands: each reads its arguments, calls the library, and shows what it answers.

Imports of boto3 and rich stay inside the commands: `genolaunch --help` must answer at once.
"""
