"""Checks and actions of an engineer who deploys or destroys a stage."""
