"""What the command line and the functions share besides launch configs: faults and errors in words, items, steps.

It is in every function's bundle. It needs boto3.
"""
