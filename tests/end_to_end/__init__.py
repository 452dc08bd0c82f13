"""Whole nights through the command line, from landing files to the published DuckDB file."""
