"""BuildKit's cache: its records, its rules, what goes first."""
