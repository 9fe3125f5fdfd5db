"""Drawings as SVG: scales and their ticks; the text is that of the templates in `templates/pictures/`."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import floor, log10

import jinja2

from tinycompile.resources import templates_dir
from tinycompile.templating import MARKS

TICKS = 6
WIDE_RATIO = 5
_LABEL_WIDTH, _LABEL_HEIGHT = 14, 10
_LABEL_SIDES = ((6, -5), (-6, -5), (6, 14), (-6, 14), (7, 4), (-7, 4), (9, -14), (-9, -14))
COLOURS = ("#2166ac", "#d6604d", "#4d9221", "#8073ac")


@dataclass(frozen=True)
class Scale:
    """Maps values to coordinates: `low` lies at `start`, `high` at `end`. `is_log`: equal ratios take equal lengths."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    @classmethod
    def over(cls, values: Sequence[float], start: float, end: float) -> "Scale":
        """From zero to a little more than the greatest value; by ratios when the values differ widely."""
        low, high = min(values, default=0), max(values, default=0) or 1
        if low > 0 and high / low > WIDE_RATIO:
            return cls(low / 1.2, high * 1.2, start, end, True)
        return cls(0, high * 1.08, start, end)

    def at(self, value: float) -> float:
        """The coordinate of a value."""
        low, high, place = (log10(v) if self.is_log else v for v in (self.low, self.high, value))
        return round(self.start + (place - low) / (high - low) * (self.end - self.start), 1)

    def ticks(self) -> list[tuple[float, str]]:
        """Coordinates and texts of some round values."""
        if self.is_log:
            powers = range(floor(log10(self.low)), floor(log10(self.high)) + 1)
            values = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
        else:
            step = _round_step((self.high - self.low) / TICKS)
            values = [float(step * i) for i in range(int(self.high // step) + 1)]
        return [(self.at(value), si_text(value)) for value in values if self.low <= value <= self.high]


@dataclass(frozen=True)
class Label:
    """Where the number of a point stands: its end (`anchor`) that is near the point, and its baseline."""

    x: float
    y: float
    anchor: str

    def covers(self, x: float, y: float) -> float:
        """How much of a number around this place a number of two digits would cover: 0 to 1."""
        left = self.x if self.anchor == "start" else self.x - _LABEL_WIDTH
        across = 1 - abs(left + _LABEL_WIDTH / 2 - x) / _LABEL_WIDTH
        down = 1 - abs(self.y - _LABEL_HEIGHT / 2 - y) / _LABEL_HEIGHT
        return max(0, across) * max(0, down)


def place_labels(points: Sequence[tuple[float, float]]) -> list[Label]:
    """A label beside each point, on the side where it covers least of the other points and of the labels before it."""
    placed: list[Label] = []
    taken = list(points)
    for x, y in points:
        sides = [
            Label(round(x + dx, 1), round(y + dy, 1), "start" if dx > 0 else "end") for dx, dy in _LABEL_SIDES
        ]
        best = min(sides, key=lambda label: sum(label.covers(*other) for other in taken))
        placed.append(best)
        middle = _LABEL_WIDTH / 2 if best.anchor == "start" else -_LABEL_WIDTH / 2
        taken.append((best.x + middle, best.y - _LABEL_HEIGHT / 2))
    return placed


def si_text(value: float) -> str:
    """A short text of a count: `1.5M`, `32k`, `640`."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.4g}{unit}"
    return f"{value:.4g}"


def draw(template: str, **values: object) -> str:
    """Fill a template of `templates/pictures/`."""
    return _environment().get_template(f"pictures/{template}").render(**values)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(loader=jinja2.FileSystemLoader(templates_dir()), autoescape=True, **MARKS)


def _round_step(step: float) -> int:
    """The least of 1, 2, 5, 10, 20... that is no smaller."""
    if step <= 1:
        return 1
    power = int(10 ** floor(log10(step)))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= step)
