"""Names and shapes on which the stacks, the functions, the jobs and the command line must agree, by subject.

This is the only package that both `stacks` and `lambdas` import. It needs nothing but the standard library, and is
copied into every function's bundle.
"""
