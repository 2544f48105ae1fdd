"""Makes the small media files of the cassettes, each from a few numbers, and always the same.

    python tests/make_media.py

writes `tests/cassettes/<site>/media.yaml` anew. The other cassettes are written by hand; where they give the size or
the checksum of a file, those must be of the bytes made here, which `tests/test_cassettes.py` checks.
"""

from __future__ import annotations

import base64
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CASSETTES = Path(__file__).parent / "cassettes"
NOTE = "# Composed in the documented shape of the site's answers; no capture. Written by tests/make_media.py."

Color = tuple[int, int, int]
RED, GREEN, BLUE, SAND, WHITE = (200, 40, 40), (40, 160, 70), (40, 80, 200), (220, 200, 150), (255, 255, 255)


def pieces(text: str, size: int) -> Iterator[str]:
    """The text in pieces of that size; the last may be shorter."""
    return (text[at : at + size] for at in range(0, len(text), size))


def png(width: int, height: int, color: Color) -> bytes:
    """A picture of one color, not compressed: what a compressor writes depends on its version."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 3, 0, 0, 0)  # one bit a pixel, by a palette
    rows = bytes(1 + -(-width // 8)) * height
    stored = (
        b"\x78\1\1" + struct.pack("<HH", len(rows), len(rows) ^ 0xFFFF) + rows + struct.pack(">I", zlib.adler32(rows))
    )
    signature = b"\x89PNG\r\n\x1a\n"
    return (
        signature + chunk(b"IHDR", header) + chunk(b"PLTE", bytes(color)) + chunk(b"IDAT", stored) + chunk(b"IEND", b"")
    )


def jpeg(width: int, height: int) -> bytes:
    """A gray picture: each 8 x 8 block says "no difference", in the two bits 0 (DC) and 0 (end of block)."""

    def segment(marker: int, data: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data

    one_code = bytes([1] + [0] * 15)
    blocks = -(-width // 8) * -(-height // 8)
    bits = "00" * blocks
    scan = bytes(int(byte.ljust(8, "1"), 2) for byte in pieces(bits, 8))
    return b"".join(
        [
            b"\xff\xd8",
            segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
            segment(0xDB, b"\0" + b"\1" * 64),
            segment(0xC0, struct.pack(">BHHBBBB", 8, height, width, 1, 1, 0x11, 0)),
            segment(0xC4, b"\x00" + one_code + b"\0"),
            segment(0xC4, b"\x10" + one_code + b"\0"),
            segment(0xDA, b"\1\1\0\0\x3f\0"),
            scan,
            b"\xff\xd9",
        ]
    )


def gif(width: int, height: int, *colors: Color) -> bytes:
    """An animation with one frame for each color; the LZW codes never grow, for the table is cleared in time."""
    table = b"".join(bytes(color) for color in colors).ljust(3 * 4, b"\0")

    def frame(index: int) -> bytes:
        codes = [4]  # clear; then pixels, each as its own code of 3 bits
        for place in range(width * height):
            codes += [index] if place % 2 or not place else [4, index]
        number = sum(code << (3 * place) for place, code in enumerate([*codes, 5]))
        data = number.to_bytes(-(-3 * (len(codes) + 1) // 8), "little")
        blocks = b"".join(bytes([len(data[at : at + 255])]) + data[at : at + 255] for at in range(0, len(data), 255))
        control = b"\x21\xf9\4\0\x0a\0\0\0"
        return control + b"\x2c" + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\2" + blocks + b"\0"

    loop = b"\x21\xff\x0bNETSCAPE2.0\3\1\0\0\0"
    frames = b"".join(frame(index) for index in range(len(colors)))
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x91, 0, 0) + table + loop + frames + b"\x3b"


def vp8_frame(width: int, height: int) -> bytes:
    """A gray key frame: the decoder reads every choice from zeros, and so takes each one's default."""
    modes = bytes(16 + width * height // 64)
    tag = (1 << 4) | (len(modes) << 5)  # a key frame that is shown, and the length of its first part
    return struct.pack("<I", tag)[:3] + b"\x9d\x01\x2a" + struct.pack("<HH", width, height) + modes + bytes(16)


def webm(width: int, height: int) -> bytes:
    """A video of one gray frame."""

    def element(name: int, data: bytes | int | str) -> bytes:
        if isinstance(data, int):
            data = data.to_bytes(max(1, -(-data.bit_length() // 8)), "big")
        body = data.encode() if isinstance(data, str) else data
        size = bytes([len(body) | 0x80]) if len(body) < 0x7F else struct.pack(">I", len(body) | 0x1000_0000)
        return name.to_bytes(-(-name.bit_length() // 8), "big") + size + body

    head = element(0x4286, 1) + element(0x42F7, 1) + element(0x42F2, 4) + element(0x42F3, 8)
    head += element(0x4282, "webm") + element(0x4287, 2) + element(0x4285, 2)
    info = element(0x2AD7B1, 1_000_000) + element(0x4D80, "qetch") + element(0x5741, "qetch")
    video = element(0xE0, element(0xB0, width) + element(0xBA, height))
    track = element(0xD7, 1) + element(0x73C5, 1) + element(0x83, 1) + element(0x86, "V_VP8") + video
    cluster = element(0xE7, 0) + element(0xA3, b"\x81\0\0\x80" + vp8_frame(width, height))
    segment = element(0x1549A966, info) + element(0x1654AE6B, element(0xAE, track)) + element(0x1F43B675, cluster)
    return element(0x1A45DFA3, head) + element(0x18538067, segment)


def mp4(width: int, height: int) -> bytes:
    """A video of one gray frame, shown for a second."""

    def box(name: str, *parts: bytes) -> bytes:
        data = b"".join(parts)
        return struct.pack(">I", len(data) + 8) + name.encode() + data

    def numbers(*values: int) -> bytes:
        return struct.pack(f">{len(values)}I", *values)

    matrix = numbers(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    frame = vp8_frame(width, height)
    file_type = box("ftyp", b"isom", numbers(0x200), b"isomiso2mp41")
    data = box("mdat", frame)
    entry = box(
        "vp08",
        bytes(6) + struct.pack(">H", 1) + bytes(16) + struct.pack(">HH", width, height),
        numbers(0x480000, 0x480000, 0) + struct.pack(">H", 1) + bytes(32) + struct.pack(">Hh", 24, -1),
        box("vpcC", numbers(0x01000000), b"\0\x0a\x82\2\2\2\0\0"),
    )
    table = box(
        "stbl",
        box("stsd", numbers(0, 1), entry),
        box("stts", numbers(0, 1, 1, 1000)),
        box("stsc", numbers(0, 1, 1, 1, 1)),
        box("stsz", numbers(0, 0, 1, len(frame))),
        box("stco", numbers(0, 1, len(file_type) + 8)),
    )
    information = box(
        "minf", box("vmhd", numbers(1, 0, 0)), box("dinf", box("dref", numbers(0, 1), box("url ", numbers(1)))), table
    )
    handler = box("hdlr", numbers(0, 0), b"vide", bytes(12), b"gray\0")
    media = box("mdia", box("mdhd", numbers(0, 0, 0, 1000, 1000, 0x55C40000)), handler, information)
    header = box("tkhd", numbers(3, 0, 0, 1, 0, 1000, 0, 0, 0, 0), matrix, numbers(width << 16, height << 16))
    movie = box("mvhd", numbers(0, 0, 0, 1000, 1000, 0x10000, 0x01000000, 0, 0), matrix, bytes(24), numbers(2))
    return file_type + data + box("moov", movie, box("trak", header, media))


def swf(width: int, height: int) -> bytes:
    """A Flash movie of one empty frame."""
    bits = "".join(f"{value * 20:016b}" for value in (0, width, 0, height))
    area = int(f"{16:05b}{bits}".ljust(72, "0"), 2).to_bytes(9, "big")
    body = area + struct.pack("<HH", 12 << 8, 1) + struct.pack("<HH", 1 << 6, 0)
    return b"FWS\6" + struct.pack("<I", len(body) + 8) + body


def pdf(text: str) -> bytes:
    """A page with one line of text."""
    stream = f"BT /F 24 Tf 20 60 Td ({text}) Tj ET"
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 140]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        f"<</Length {len(stream)}>>stream\n{stream}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    body, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(f"{len(body):010} 00000 n \n")
        body += f"{number} 0 obj{content}endobj\n"
    table = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{''.join(places)}"
    return f"{body}{table}trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{len(body)}\n%%EOF\n".encode()


TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webm": "video/webm",
    "mp4": "video/mp4",
    "swf": "application/x-shockwave-flash",
    "pdf": "application/pdf",
}

MEDIA: dict[str, dict[str, bytes]] = {
    "4chan": {
        "https://i.4cdn.org/po/1546293948883.png": png(64, 48, SAND),
        "https://i.4cdn.org/po/1546293948883s.jpg": jpeg(64, 48),
        "https://i.4cdn.org/po/1699029133827809.jpg": jpeg(160, 120),
        "https://i.4cdn.org/po/1653619733613.webm": webm(64, 64),
        "https://i.4cdn.org/po/1549184255339.pdf": pdf("Fold along the line."),
        "https://i.4cdn.org/po/1549184316000.gif": gif(8, 8, RED, WHITE),
        "https://i.4cdn.org/f/Paper%20Crane%20%26%20Friends%20%231.swf": swf(320, 240),
    },
    "imgur": {
        "https://i.imgur.com/21yMxCS.png": png(64, 64, BLUE),
        "https://i.imgur.com/zxaY6.gif": gif(6, 6, GREEN, WHITE),
        "https://i.imgur.com/Vid3oAA.mp4": mp4(64, 48),
        "https://i.imgur.com/Anim5aa.mp4": mp4(32, 32),
        "https://i.imgur.com/Anim5aa.gif": gif(8, 8, RED, GREEN, BLUE),
        "https://i.imgur.com/BigGif1.mp4": mp4(96, 64),
        "https://i.imgur.com/BigGif1h.gif": gif(4, 4, BLUE, WHITE),
        "https://i.imgur.com/oLd5x.jpeg": jpeg(80, 60),
        "https://i.imgur.com/iHJ7tsM.png": png(48, 48, GREEN),
        "https://i.imgur.com/693j2Kr.png": png(100, 70, RED),
        "https://i.imgur.com/ZNalkAC.jpg": jpeg(120, 90),
        "https://i.imgur.com/lMox9Ek.mp4": mp4(48, 48),
        "https://i.imgur.com/26sEhNr.png": png(70, 100, SAND),
        "https://i.imgur.com/fold001.png": png(16, 16, RED),
        "https://i.imgur.com/fold002.png": png(16, 16, GREEN),
        "https://i.imgur.com/fold003.png": png(16, 16, BLUE),
        "https://i.imgur.com/removed.png": png(80, 40, WHITE),
    },
    "gfycat": {
        "https://giant.gfycat.com/CalmFoldedCrane.mp4": mp4(128, 72),
        "https://giant.gfycat.com/CalmFoldedCrane.webm": webm(128, 72),
        "https://giant.gfycat.com/CalmFoldedCrane.gif": gif(10, 6, SAND, WHITE),
        "https://giant.gfycat.com/BrightPaperHeron.mp4": mp4(64, 36),
        "https://giant.gfycat.com/BrightPaperHeron.webm": webm(64, 36),
        "https://thumbs.gfycat.com/BrightPaperHeron-size_restricted.gif": gif(6, 4, BLUE, SAND),
    },
}
"""The bytes of each file, by site and URL."""


def cassette(files: dict[str, bytes]) -> str:
    """The files as answers to GET, in vcr's YAML."""
    lines = [NOTE, "interactions:"]
    for url, data in files.items():
        text = base64.b64encode(data).decode()
        lines += [
            f"- request: {{method: GET, uri: '{url}', body: null, headers: {{}}}}",
            "  response:",
            "    status: {code: 200, message: OK}",
            f"    headers: {{Content-Type: [{TYPES[url.rpartition('.')[2]]}], Content-Length: ['{len(data)}']}}",
            "    body:",
            "      string: !!binary |",
            *(f"        {piece}" for piece in pieces(text, 100)),
        ]
    return "\n".join([*lines, "version: 1", ""])


def main() -> None:
    """Writes the cassettes."""
    for site, files in MEDIA.items():
        folder = CASSETTES / site
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "media.yaml").write_text(cassette(files), encoding="utf-8")


if __name__ == "__main__":
    main()
