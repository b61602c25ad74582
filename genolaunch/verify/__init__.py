"""Checks after a deployment the claims of docs/verified.md that only AWS can show.

`trials` drops tiny launches and follows them, `readings` asks AWS what came of them (`evidence`), `checks` compares
that with the claims, `report` tells. What was put is taken away again (`tidying`).
"""
