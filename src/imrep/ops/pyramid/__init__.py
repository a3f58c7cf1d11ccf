"""The Laplacian pyramid: its two steps, a plain reference, a C kernel."""
