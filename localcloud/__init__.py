"""An embedded AWS on one machine, on which the whole platform runs in demos and tests."""
