"""Decoders for formats that Pillow does not read exactly: samples with their stated meaning."""
