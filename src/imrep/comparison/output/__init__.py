"""The results folder: rows, tables, notes and figures."""
