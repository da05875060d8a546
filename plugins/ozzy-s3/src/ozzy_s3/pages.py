"""Pages of a listing, as S3 gives them: XML, with keys quoted as in an address where the page says so."""

import xml.etree.ElementTree as ET
from typing import Any
from urllib.parse import unquote_plus


def page_of(body: bytes) -> dict[str, Any]:
    """What a page says: its objects, whether there are more, and the token that leads to the next page.

    >>> page_of(b"<L><EncodingType>url</EncodingType><Contents><Key>a%20b</Key><Size>1</Size><ETag>x</ETag></Contents></L>")["Contents"]
    [{'Key': 'a b', 'Size': 1, 'ETag': 'x'}]
    """
    root = ET.fromstring(body)  # noqa: S314  (the parser of Python 3.11 and later bounds what entities may grow to)
    space = root.tag.partition("}")[0] + "}" if "}" in root.tag else ""
    quoted = root.findtext(f"{space}EncodingType") == "url"
    key, size, etag = f"{space}Key", f"{space}Size", f"{space}ETag"
    contents = []
    for one in root.iterfind(f"{space}Contents"):
        name = one.findtext(key, "")
        contents.append(
            {"Key": unquote_plus(name) if quoted else name, "Size": int(one.findtext(size, "0")), "ETag": one.findtext(etag, "")}
        )
    return {
        "Contents": contents,
        "IsTruncated": root.findtext(f"{space}IsTruncated") == "true",
        "NextContinuationToken": root.findtext(f"{space}NextContinuationToken"),
    }
