"""Charts as SVG, of the two kinds that the programs here write."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

OURS: Final = "#3b6fd4"
OTHERS: Final = "#9aa5b5"
COLOURS: Final = ("#3b6fd4", "#d4763b", "#3ba55d", "#a33bd4", "#c2a300", "#d43b6f", "#5b6675", "#2aa0a8")
WIDTH: Final = 620
PLOT_HEIGHT: Final = 300
LEFT, RIGHT, TOP, BOTTOM = 64, 120, 34, 44


def bars(title: str, groups: Mapping[str, Mapping[str, float]], ours: str) -> str:
    """Return horizontal bars: a group for each name, in it a bar for each name."""
    most = max(value for group in groups.values() for value in group.values())
    parts, y = [_text(10, 16, title, bold=False)], 10
    for heading, group in groups.items():
        y += 22
        parts.append(_text(10, y, heading, bold=True))
        for name, value in group.items():
            y += 20
            width = max(1, round(value / most * 380))
            fill = OURS if name == ours else OTHERS
            parts.append(_text(110, y, name, anchor="end"))
            parts.append(f'<rect x="120" y="{y - 11}" width="{width}" height="14" fill="{fill}"/>')
            parts.append(_text(126 + width, y, f"{value:,.0f}"))
    return _svg(parts, y + 16)


class Plot(NamedTuple):
    """Lines through points (x, y), both axes logarithmic. Nothing at or below 0 can be shown."""

    title: str
    x: str
    y: str
    lines: Mapping[str, Sequence[tuple[float, float]]]


def plots(drawn: Sequence[Plot]) -> str:
    """Return plots, one below the other."""
    parts: list[str] = []
    for number, plot in enumerate(drawn):
        parts.append(f'<g transform="translate(0 {number * PLOT_HEIGHT})">')
        parts += _plot(plot)
        parts.append("</g>")
    return _svg(parts, PLOT_HEIGHT * len(drawn))


def _plot(plot: Plot) -> list[str]:
    points = [point for line in plot.lines.values() for point in line if min(point) > 0]
    parts = [_text(10, 18, f"{plot.title}, {plot.y}" if plot.y else plot.title, bold=True)]
    if not points:
        return parts
    across = _Axis([x for x, _ in points], LEFT, WIDTH - RIGHT)
    up = _Axis([y for _, y in points], PLOT_HEIGHT - BOTTOM, TOP)
    bottom = PLOT_HEIGHT - BOTTOM
    for x in across.ticks:
        at = across.place(x)
        parts.append(f'<path d="M{at:.1f} {TOP}V{bottom}" stroke="#e3e6ea"/>')
        parts.append(_text(at, bottom + 16, f"{x:,g}", anchor="middle"))
    for y in up.ticks:
        at = up.place(y)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#e3e6ea"/>')
        parts.append(_text(LEFT - 6, at + 4, f"{y:,g}", anchor="end"))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, bottom + 34, plot.x, anchor="middle"))
    for colour, (name, line) in zip(_cycle(len(plot.lines)), plot.lines.items(), strict=True):
        shown = [(across.place(x), up.place(y)) for x, y in line if min(x, y) > 0]
        if not shown:
            continue
        way = "L".join(f"{x:.1f} {y:.1f}" for x, y in shown)
        parts.append(f'<path d="M{way}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in shown]
        parts.append(_text(shown[-1][0] + 6, shown[-1][1] + 4, name, fill=colour))
    return parts


class _Axis:
    """A logarithmic axis that holds all values, with its ends at powers of ten or halves of them."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        low, high = min(values), max(values)
        self.ticks = [
            tick
            for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            for tick in (10.0**power, 3 * 10.0**power)
            if low / 3 < tick < high * 3
        ]
        self._low = math.log10(min(low, self.ticks[0]))
        self._high = math.log10(max(high, self.ticks[-1]))
        self._start, self._end = start, end

    def place(self, value: float) -> float:
        span = self._high - self._low or 1.0
        return self._start + (math.log10(value) - self._low) / span * (self._end - self._start)


def _cycle(count: int) -> list[str]:
    return [COLOURS[number % len(COLOURS)] for number in range(count)]


def _text(x: float, y: float, text: str, *, bold: bool = False, anchor: str = "", fill: str = "") -> str:
    extra = ' font-weight="bold"' * bold + (f' text-anchor="{anchor}"' if anchor else "")
    extra += f' fill="{fill}"' if fill else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{extra}>{escape(text)}</text>'


def _svg(parts: Sequence[str], height: float) -> str:
    size = f'width="{WIDTH}" height="{height:.0f}" font-family="sans-serif" font-size="12"'
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
        f'<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'
    )
