"""Writes a first spec for a URL: finders propose readings of the page; the best that holds on a trial is written."""
