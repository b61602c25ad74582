"""What people see in the terminal: tables, live progress, and plain lines where there is no terminal."""
