"""The figures as a picture: a bar for each contender's wall time, job by job, in SVG."""

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from benchmarks.jobs import JOBS
from benchmarks.table import Row

WIDTH, LABELS, BARS, LINE = 1000, 250, 400, 22
OURS, THEIRS, INK = "#00796b", "#90a4ae", "#37474f"


def chart(rows: Mapping[str, Sequence[Row]], records: int) -> str:
    """One block of bars for each job, scaled to its slowest that is not off the scale (20 times the fastest)."""
    parts: list[str] = []
    top = 34.0
    for job, of_job in rows.items():
        done = [row for row in of_job if not row.failed]
        if not done:
            continue
        parts.append(_text(10, top, JOBS[job], bold=True))
        scale = max(row.wall for row in done if row.wall <= 20 * min(other.wall for other in done))
        for row in done:
            top += LINE
            parts += _bar(row, top, scale)
        top += 2 * LINE
    height = round(top)
    head = f"Wall time of {records:,} records; the shorter the better"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13" role="img">\n'
        f"<title>{escape(head)}</title>\n"
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _bar(row: Row, top: float, scale: float) -> list[str]:
    off = row.wall > scale
    length = BARS * min(1.0, row.wall / scale)
    ours = row.contender.name.startswith("ozzy")
    figures = f"{row.wall:.2f} s{' (off the scale)' if off else ''} · {row.cpu:.2f} s CPU · {row.memory / 2**20:,.0f} MiB"
    return [
        _text(LABELS - 8, top, row.contender.name, bold=ours, end=True),
        f'<rect x="{LABELS}" y="{top - 12:.0f}" width="{length:.1f}" height="15" rx="2" fill="{OURS if ours else THEIRS}"/>',
        _text(LABELS + length + 6, top, figures),
    ]


def _text(x: float, y: float, text: str, *, bold: bool = False, end: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    anchor = ' text-anchor="end"' if end else ""
    return f'<text x="{x:.0f}" y="{y:.0f}" fill="{INK}"{weight}{anchor}>{escape(text)}</text>'
