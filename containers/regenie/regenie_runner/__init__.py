"""Runs inside the regenie image: one task of a launch's plan per job, then the merge and the report.

Only `merge` and `report` import numpy, pysam, matplotlib or jinja2: array jobs start this package tens of thousands of
times.
"""
