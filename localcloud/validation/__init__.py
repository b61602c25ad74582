"""Refuses requests that AWS would refuse for their form: what botocore's service models say of every member.

boto3 checks on the client that required members are there, of the right type, and not too small. AWS checks the rest as
well: greatest lengths, patterns, ranges, enumerations, sizes of lists.
"""
