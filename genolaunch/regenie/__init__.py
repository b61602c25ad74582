"""Reads the input files of a regenie launch, as planning and the command line's check before an upload do.

It is in the bundle of the functions of `lambdas/regenie`. It needs boto3.
"""
