"""Operations on pictures: one file each, named as on the command line, with one public function.

Each takes images (b, 1|3, h, w) with values in [0, 1] and gives images of the same shape, dtype and
device, unless it says otherwise. `imrep.registry.operations` lists them without importing any.
"""
