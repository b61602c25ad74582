"""Names and shapes on which the stacks, the functions, the jobs and the command line must agree, by subject.

It needs nothing but the standard library, and is copied into every function's bundle. Of the command line's package
`stacks` import this part only.
"""
