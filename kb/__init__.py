"""Vocabulary, ports and errors. Imports the standard library and numpy only."""
