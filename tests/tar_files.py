"""Small tar archives for tests."""

import io
import tarfile

from PIL import Image


def png(value=0):
    file = io.BytesIO()
    Image.new("L", (4, 4), value).save(file, "PNG")
    return file.getvalue()


def gray(item):
    """The gray level of an item's image."""
    return Image.open(io.BytesIO(item.read())).getpixel((0, 0))


def tar(path, files, **keywords):
    """A tar archive; a value that is no bytes is a `tarfile.TarInfo`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", **keywords) as archive:
        for name, content in files.items() if isinstance(files, dict) else files:
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def link(name, target, kind=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info
