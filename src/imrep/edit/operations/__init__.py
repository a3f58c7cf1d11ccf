"""One operation a file or folder, named as on the command line, with one public function.

Each takes images (b, 1|3, h, w) with values in [0, 1] and returns images of the same shape, dtype
and device, unless it says otherwise. `imrep.registry.operations` lists them without importing any.
"""
