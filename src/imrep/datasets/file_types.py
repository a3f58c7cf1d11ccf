"""The type of a file by its suffix."""

import os
from typing import Literal

Kind = Literal["picture", "table", "archive", "other", "unknown"]


def _words(line: str) -> frozenset[str]:
    return frozenset(line.split())


# Every suffix of pictures, also of formats without a decoder here: the run reports those files.
_PICTURES = _words(
    ".apng .avif .avifs .bmp .bw .cur .dcx .dds .dib .fit .fits .gif .heic .heics .heif .heifs "
    ".hif .icns .ico .j2c .j2k .jfif .jp2 .jpc .jpe .jpeg .jpf .jpg .jpx .jxl .mpo .msp .pam "
    ".pbm .pcx .pfm .pgm .png .pnm .ppm .psd .qoi .ras .rgb .rgba .sgi .svg .tga .tif .tiff "
    ".webp .xbm .xpm "
    ".3fr .arw .cr2 .cr3 .crw .dcr .dng .erf .fff .gpr .iiq .kdc .mef .mos .mrw .nef .nrw .orf "
    ".pef .raf .raw .rw2 .rwl .sr2 .srf .srw .x3f "  # cameras
    ".czi .dcm .dicom .ima .lif .lsm .mha .nd2 .ndpi .nii .nrrd .scn .stk .svs .vsi "  # instruments
    ".btf .emf .eps .exr .hdr .hdp .jng .jxr .kra .mng .ora .psb .svgz .wdp .wmf .xcf"
)  # fmt: skip
_TABLES = _words(".csv .tsv .jsonl .parquet")
_ARCHIVES = _words(".7z .bz2 .gz .rar .tar .tbz .tgz .txz .xz .zip .zst")
_OTHER_FILES = _words(
    ".ai .arrow .avi .cfg .css .db .doc .docx .feather .h5 .hdf5 .html .htm .ini .ipynb .js "
    ".json .lance .log .mat .md .mkv .mov .mp3 .mp4 .npy .npz .ods .pdf .pickle .pkl .pt .pth .py "
    ".rst .safetensors .sqlite .toml .txt .wav .webm .xls .xlsx .xml .yaml .yml"
)


def by_name(name: str) -> Kind:
    """The type of a file by its suffix."""
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122  # a path object takes ten times as long
    if suffix in _PICTURES:
        return "picture"
    if suffix in _TABLES:
        return "table"
    if suffix in _ARCHIVES:
        return "archive"
    return "other" if suffix in _OTHER_FILES else "unknown"
