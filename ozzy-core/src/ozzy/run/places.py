"""Places of records, told by who counts from the first row of a range, as they are counted in the whole of a source."""

import re


def moved(text: str, split: str, rows: int, lines: int) -> str:
    """A text that begins with the place of a record, or of several, in a split, with so many rows and lines before the range.

    >>> moved("a.jl, line 3: not JSON", "a.jl", 10, 20), moved("a.jl, records 1 to 4", "a.jl", 10, 20), moved("a.jl", "a.jl", 1, 1)
    ('a.jl, line 23: not JSON', 'a.jl, records 11 to 14', 'a.jl')
    """
    found = re.match(rf"{re.escape(split)}, (line|records?) (\d+)(?: to (\d+))?", text)
    if found is None or not (rows or lines):
        return text
    kind, first, last = found.groups()
    before = lines if kind == "line" else rows
    numbers = f"{int(first) + before}" + (f" to {int(last) + before}" if last else "")
    return f"{split}, {kind} {numbers}{text[found.end() :]}"
