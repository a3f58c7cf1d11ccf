"""From the bytes of a file to pixels: signatures, limits, the decoder, sRGB."""
