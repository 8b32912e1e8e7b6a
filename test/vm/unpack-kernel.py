#!/usr/bin/python3
"""unpack-kernel.py VMLINUZ ELF: takes the kernel out of its compressed image.

Unpacking itself takes a kernel many seconds where every instruction is emulated. Debian compresses
with xz; gzip is tried as well.
"""
import lzma
import sys
import zlib

ELF = b"\x7fELF"
FORMATS = ((b"\xfd7zXZ\x00", lzma.LZMADecompressor),
           (b"\x1f\x8b\x08", lambda: zlib.decompressobj(wbits=31)))


def kernel_in(image):
    for magic, decompressor in FORMATS:
        at = image.find(magic)
        while at >= 0:
            try:
                kernel = decompressor().decompress(image[at:])
            except (lzma.LZMAError, zlib.error):
                kernel = b""
            if kernel.startswith(ELF):
                return kernel
            at = image.find(magic, at + 1)
    return None


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.splitlines()[0])
    with open(sys.argv[1], "rb") as source:
        kernel = kernel_in(source.read())
    if kernel is None:
        sys.exit(f"{sys.argv[1]}: no kernel compressed with xz or gzip is in it")
    with open(sys.argv[2], "wb") as target:
        target.write(kernel)


if __name__ == "__main__":
    main()
