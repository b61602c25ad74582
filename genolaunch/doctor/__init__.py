"""`genolaunch doctor`: is an account ready for a stage? It only reads.

Each module has checks of one kind; each check gives lines (`finding.Finding`). `examination` runs them side by side.
"""
