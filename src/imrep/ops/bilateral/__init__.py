"""The bilateral filter through its grid: filter, grid, lattice, a C kernel."""
