"""What keys are called and what values look like: the small knowledge that proposals are made of."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

WORD = re.compile(r"(?i:mp[34]|m3u8|[48]k)(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LONGEST_URL = 2048

KIND_OF = {
    **dict.fromkeys(("mp4", "webm", "mkv", "mov", "m4v", "avi", "ogv"), "video"),
    "m3u8": "playlist",
    **dict.fromkeys(("mp3", "m4a", "ogg", "opus", "flac", "wav", "aac"), "audio"),
    **dict.fromkeys(("jpg", "jpeg", "png", "gif", "webp", "avif", "bmp", "tif", "tiff", "svg", "heic", "jxl"), "image"),
    **dict.fromkeys(("pdf", "epub", "cbz", "cbr", "zip", "rar", "7z", "swf", "psd"), "file"),
}
"""What a file is, by its extension."""
EXTENSION = re.compile(r"[A-Za-z0-9]{2,5}")
URL = re.compile(r"(?:https?:)?//[^\s/]+\S*")
PATH = re.compile(r"/?[^\s:<>{}\"']+")

QUALITY = {
    **dict.fromkeys(("original", "orig", "raw", "master"), 100.0),
    **dict.fromkeys(("full", "fullsize", "max", "maximum", "best"), 95.0),
    **dict.fromkeys(("uhd", "hd", "high", "hq"), 90.0),
    **dict.fromkeys(("xl", "xlarge", "large", "big"), 80.0),
    **dict.fromkeys(("download", "content", "file", "video", "audio", "enclosure"), 65.0),
    **dict.fromkeys(("medium", "regular", "standard", "middle"), 40.0),
    **dict.fromkeys(("sd", "mobile", "low", "lq"), 30.0),
    **dict.fromkeys(("small", "sample"), 22.0),
    **dict.fromkeys(("preview", "teaser", "cover"), 10.0),
    **dict.fromkeys(("poster", "still", "screenshot", "splash"), 6.0),
    **dict.fromkeys(("thumb", "thumbs", "thumbnail", "thumbnails"), 3.0),
    **dict.fromkeys(("tiny", "mini", "micro", "placeholder"), 1.0),
}
"""How good a file is, by a word of its key; 50 is a file of which nothing is said."""
KIND_BONUS = {"video": 400.0, "audio": 300.0, "playlist": 250.0, "file": 100.0}
FORMAT_BONUS = {"mp4": 2.0, "webm": 1.0, "gif": -1.0, "webp": -0.5}
HINTS = frozenset(
    (
        *("image", "img", "video", "audio", "photo", "picture", "pic", "media", "file", "src", "download"),
        *("content", "original", "full", "large", "medium", "small", "thumb", "thumbnail", "preview", "poster"),
        *("mp4", "webm", "stream", "enclosure"),
    )
)
"""Words of keys whose URL is a file even where it has no extension."""
NO_FILES = frozenset(
    (
        *("avatar", "icon", "icons", "logo", "profile", "banner", "badge", "favicon", "sprite", "emoji"),
        *("embed", "author", "user", "owner", "uploader", "creator", "page", "html", "api", "self", "next"),
        *("prev", "previous", "href", "permalink", "web", "website", "homepage", "ads", "ad", "advert"),
        *("tracking", "pixel", "account", "channel", "header"),
    )
)
"""Words of keys whose URL is another thing than the item's file."""
HOLDERS = frozenset(("group", "groups", "sizes", "images", "files", "assets", "versions", "variants"))
"""Words of keys that hold files, and say nothing of one."""
NOISE = frozenset(("url", "uri", "urls", "link", "links", "src", "href", "secure", "path"))

DATE_FORMATS = (
    *("%a %b %d %H:%M:%S %z %Y", "%a, %d %b %Y %H:%M:%S %z", "%a, %d %b %Y %H:%M:%S GMT", "%d %B %Y", "%d %b %Y"),
    *("%B %d, %Y", "%b %d, %Y", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d"),
)
DIGESTS = {32: "md5", 40: "sha1", 64: "sha256"}
DIGEST_BYTES = {16: "md5", 20: "sha1", 32: "sha256"}


def words(key: str) -> tuple[str, ...]:
    """The words of a key, in lower case.

    >>> words("thumbnailURL"), words("created_at"), words("mp4Url-720p")
    (('thumbnail', 'url'), ('created', 'at'), ('mp4', 'url', '720', 'p'))
    """
    return tuple(word.lower() for word in WORD.findall(key[:200]))


def extension_of(url: str) -> str:
    """The extension of a URL's path in lower case, or nothing."""
    path = url.partition("//")[2].partition("/")[2] if "//" in url[:8] else url
    stem, _, extension = path.partition("?")[0].partition("#")[0].rpartition("/")[2].rpartition(".")
    return extension.lower() if stem.strip(".") and EXTENSION.fullmatch(extension) else ""


def media_kind(url: str) -> str:
    """`video`, `audio`, `image`, `playlist` or `file` by the URL's extension, or nothing."""
    return KIND_OF.get(extension_of(url), "")


def is_url(text: Any) -> bool:
    """Whether a text is an absolute URL, or a path that ends as a media file does."""
    if not isinstance(text, str) or not 4 <= len(text) <= LONGEST_URL:
        return False
    if URL.fullmatch(text):
        return True
    return bool(media_kind(text) and PATH.fullmatch(text))


def is_file(key_words: Sequence[str], samples: Sequence[Any]) -> bool:
    """Whether the URLs under a key are those of the item's files."""
    texts = [text for text in samples if text not in (None, "", False)]
    if not texts or not all(map(is_url, texts)):
        return False
    if all(map(media_kind, texts)):
        return (NO_FILES - {"href", "web"}).isdisjoint(key_words)
    return (
        NO_FILES.isdisjoint(key_words)
        and not HINTS.isdisjoint(key_words)
        and not any(extension_of(text) in ("html", "htm", "php") for text in texts)
    )


def quality(key_words: Sequence[str], url: str) -> float:
    """What orders the files of one item: the greater, the better."""
    named = [QUALITY[word] for word in key_words if word in QUALITY]
    numbers = [min(int(word), 9999) for word in key_words if word.isdecimal() and 2 <= len(word) <= 5]
    best = min(named) if named else 35.0 + max(numbers) / 200 if numbers else 50.0 + NOISE.issuperset(key_words)
    kind = "video" if not media_kind(url) and not {"video", "mp4", "webm"}.isdisjoint(key_words) else media_kind(url)
    return KIND_BONUS.get(kind, 0.0) + best + FORMAT_BONUS.get(extension_of(url), 0.0)


def variant_name(key_words: Sequence[str], taken: Sequence[str]) -> str:
    """A short name for a file, which none of those before has."""
    plain = [word for word in key_words if word not in NOISE and word.isascii() and word != "rel"][-3:]
    name = "_".join([word for word in plain if word not in HOLDERS] or plain) or "file"
    name = re.sub(r"(\d)_([pk])(?=_|$)", r"\1\2", name)
    name = "file" if name in ("content", "enclosure") else name
    number, unique = 2, name
    while unique in taken:
        unique, number = f"{name}_{number}", number + 1
    return unique


STEM = r"([^/?#]+?)(?:\.\w+)?/?(?:[?#]|$)"
"""A regex for the last part of a URL's path, without its extension."""


FILE_PATH = r"^(?:https?:)?(?://[^/]+)?/?([^?#]+)"
"""A regex for the path of a URL, without its first slash."""
SHORT = 4
"""Characters; shorter names of files, such as 01, come again in the next set."""


def are_stems_unique(texts: Sequence[Any]) -> bool:
    """Whether `STEM` finds something in each of some texts, and nothing twice."""
    return bool(_caught(STEM, texts))


def file_regex(texts: Sequence[Any]) -> str:
    """The regex that makes names of the URLs of files: `STEM`, else `FILE_PATH`, or nothing if neither is unique."""
    if min(map(len, _caught(STEM, texts)), default=0) >= SHORT:
        return STEM
    return FILE_PATH if _caught(FILE_PATH, texts) else ""


def _caught(pattern: str, texts: Sequence[Any]) -> set[str]:
    """What a regex finds in each of some texts; nothing if it misses one, or finds something twice."""
    found = [re.search(pattern, text[:LONGEST_URL]) if isinstance(text, str) else None for text in texts]
    caught = {match[1] for match in found if match}
    return caught if len(caught) == len(texts) else set()


def date_step(samples: Sequence[Any]) -> dict[str, Any] | None:
    """How the values of a key are read as times: words of a value, none for Unix seconds; None if they are no times."""
    values = [value for value in samples if value not in (None, "")]
    if not values or any(isinstance(value, bool) or not isinstance(value, (int, float, str)) for value in values):
        return None
    if any(isinstance(value, str) for value in values):
        return _text_date([str(value).strip() for value in values])
    if all(1e8 < value < 4e9 for value in values):
        return {}
    return {"date": "ms"} if all(1e11 < value < 4e12 for value in values) else None


def _text_date(texts: Sequence[str]) -> dict[str, Any] | None:
    if all(re.fullmatch(r"\d{9,10}(?:\.\d{1,6})?", text) for text in texts):
        return {"date": "unix"}
    if all(re.fullmatch(r"\d{12,13}", text) for text in texts):
        return {"date": "ms"}
    if any(not 6 <= len(text) <= 40 or not re.search(r"[^\d.]", text) for text in texts):
        return None
    if all(map(_is_iso, texts)):
        return {"date": "iso"}
    for form in DATE_FORMATS:
        if all(_is_date(text, form) for text in texts):
            return {"date": form}
    return None


def _is_iso(text: str) -> bool:
    try:
        return 1970 <= datetime.fromisoformat(text).year <= 2100
    except ValueError:
        return False


def _is_date(text: str, form: str) -> bool:
    try:
        return 1970 <= datetime.strptime(text, form).year <= 2100
    except ValueError:
        return False


@dataclass(frozen=True)
class DateIn:
    """A date in a text.

    Attributes:
        formats: One or several formats, for `date`.
    """

    text: str
    regex: str
    formats: Any
    has_time: bool


_DAYS = (
    (r"[A-Z][a-z]{2,8}\.? \d{1,2}, \d{4}", "%B %d, %Y"),
    (r"\d{1,2} [A-Z][a-z]{2,8} \d{4}", "%d %B %Y"),
    (r"\d{4}/\d{2}/\d{2}", "%Y/%m/%d"),
    (r"\d{1,2}\.\d{1,2}\.\d{4}", "%d.%m.%Y"),
)
_TIMES = (
    *((rf"{start}\d{{1,2}}:\d{{2}} [AP]M", f"{start}%I:%M %p") for start in (" at ", ", ", " ")),
    *((rf"{start}\d{{1,2}}:\d{{2}}", f"{start}%H:%M") for start in (" at ", ", ", " ")),
    ("", ""),
)
_ISO = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?)?"


def date_in(text: str) -> DateIn | None:
    """The first date in a text for people, as Western sites write them.

    >>> date_in("Taken on 3 May 2024 at 9:05").formats
    ['%d %B %Y at %H:%M', '%d %b %Y at %H:%M']
    """
    found = re.search(_ISO, text[:200])
    if found and _is_iso(found[0]):
        return DateIn(found[0], _ISO, "iso", False)
    for day, day_form in _DAYS:
        for moment, form in _TIMES:
            found = re.search(day + moment, text[:200])
            if not found:
                continue
            both = [f"{day_form}{form}", f"{day_form}{form}".replace("%B", "%b")]
            fits = [one for one in dict.fromkeys(both) if _is_date(found[0], one)]
            if fits:
                return DateIn(found[0], day + moment, fits if len(fits) > 1 else fits[0], bool(form))
    return None


def digest_kind(samples: Sequence[Any]) -> str:
    """`md5`, `sha1` or `sha256` if every value is such a digest, in hexadecimal or base64; else nothing."""
    kinds = {_digest(value) for value in samples if value not in (None, "")}
    return kinds.pop() if len(kinds) == 1 else ""


def _digest(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    if re.fullmatch(r"[0-9A-Fa-f]+", value):
        return DIGESTS.get(len(value), "")
    try:
        return DIGEST_BYTES.get(len(base64.b64decode(value, validate=True)), "") if len(value) in (24, 28, 44) else ""
    except (ValueError, binascii.Error):
        return ""


def is_markup(samples: Sequence[Any]) -> bool:
    """Whether one of the texts holds HTML: an entity, or a tag that is closed or need not be."""
    return any(isinstance(text, str) and MARKUP.search(text[:5000]) for text in samples)


MARKUP = re.compile(
    r"<(?:br|hr|img|p|li)\b[^<>]{0,300}>|&(?:#\d{1,6}|[a-zA-Z]{2,8});"
    r"|<(a|abbr|b|blockquote|code|div|em|h\d|i|ol|p|pre|s|small|span|strong|sub|sup|u|ul)\b[^<>]{0,300}>[^<]{0,2000}</",
    re.IGNORECASE,
)
