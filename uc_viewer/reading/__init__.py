"""Blinded reading: a plan, a session that keeps it, its files, and how far readers agree."""
