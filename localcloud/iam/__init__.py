"""IAM enforced on the embedded cloud: who calls, what each call needs, and a record of what was used and refused."""
