"""Runs a compiled site: it knows the language, no site, and writes no file."""
