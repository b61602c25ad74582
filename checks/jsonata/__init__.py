"""The state machines' JSONata: parsed, held to Step Functions' rules, and evaluated by two engines.

Step Functions implements JSONata 2.0.6, whose reference is written in JavaScript; the embedded cloud has a port to
Python. `make lint` parses every expression with the reference and applies the rules (rules.py). `make check-jsonata`
evaluates each on states of real runs (tests/data/jsonata) in both, and demands the same results.
"""
