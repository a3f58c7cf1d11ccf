"""Frequencies: radial bands, pass-bands and the discrete cosine transform."""
