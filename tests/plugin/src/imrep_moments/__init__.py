"""Colour moments, as a package of somebody else would add them to imrep."""
