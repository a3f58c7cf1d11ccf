"""ITU-R BT.601: luma and chroma as weights of red, green and blue, as JFIF files have them."""

LUMA = (0.299, 0.587, 0.114)
YCBCR = (LUMA, (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))  # full range, centred on 0
