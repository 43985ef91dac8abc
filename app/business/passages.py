"""The profile as passages that can be searched, put into a prompt, or sent as they are."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Final, NamedTuple

import msgspec

from app.business.schemas import BusinessProfile, DatedHours, Hours, Interval, Language, WeeklyHours

__all__ = ["Passage", "profile_passages"]


class Passage(NamedTuple):
    """A heading and a text in the profile's language, both without markup."""

    heading: str
    text: str


def profile_passages(profile: BusinessProfile, *, today: date | None = None) -> list[Passage]:
    """Return what the profile says: who the business is, its hours, its facts.

    Exceptions from the usual hours before `today` are left out.
    """
    words = _WORDS[profile.language]
    about = f"{words.we_are} {profile.name}. {profile.description}".strip()
    passages = [Passage(words.about_us, about)]
    if profile.hours is not None:
        passages.append(Passage(words.opening_hours, _hours_text(profile.hours, words, today)))
    passages.extend(Passage(fact.heading, fact.text) for fact in profile.facts)
    return passages


class _Words(msgspec.Struct, frozen=True, kw_only=True):
    about_us: str
    we_are: str
    opening_hours: str
    we_open: str
    special_dates: str
    time_zone: str
    days: tuple[str, str, str, str, str, str, str]
    to: str
    conjunction: str
    closed: str
    all_day: str
    date_format: str


_WORDS: Final[Mapping[Language, _Words]] = {
    "es": _Words(
        about_us="Quiénes somos",
        we_are="Somos",
        opening_hours="Horario de atención: a qué hora abrimos y cerramos",
        we_open="Nuestro horario",
        special_dates="Fechas especiales",
        time_zone="Hora local",
        days=("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
        to="a",
        conjunction="y",
        closed="cerrado",
        all_day="las 24 horas",
        date_format="%d/%m/%Y",
    ),
    "en": _Words(
        about_us="About us",
        we_are="We are",
        opening_hours="Opening hours: when we open and close",
        we_open="We are open",
        special_dates="Special dates",
        time_zone="Local time",
        days=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
        to="to",
        conjunction="and",
        closed="closed",
        all_day="24 hours",
        date_format="%Y-%m-%d",
    ),
    "pt-BR": _Words(
        about_us="Quem somos",
        we_are="Somos",
        opening_hours="Horário de atendimento: a que horas abrimos e fechamos",
        we_open="Nosso horário",
        special_dates="Datas especiais",
        time_zone="Horário local",
        days=("segunda", "terça", "quarta", "quinta", "sexta", "sábado", "domingo"),
        to="a",
        conjunction="e",
        closed="fechado",
        all_day="24 horas",
        date_format="%d/%m/%Y",
    ),
}


def _hours_text(hours: Hours, words: _Words, today: date | None) -> str:
    sentences = [f"{words.we_open}: {'; '.join(_week(hours.weekly, words))}."]
    coming = sorted((day for day in hours.exceptions if today is None or day.on >= today), key=lambda day: day.on)
    if coming:
        sentences.append(f"{words.special_dates}: {'; '.join(_dated(day, words) for day in coming)}.")
    sentences.append(f"{words.time_zone}: {hours.time_zone}.")
    return " ".join(sentences)


def _week(weekly: WeeklyHours, words: _Words) -> Iterator[str]:
    """Give the days, those that follow each other with the same hours as one: "Monday to Friday" and their hours."""
    shown = [(name, _intervals(day, words)) for name, day in zip(words.days, weekly.days, strict=True)]
    for text, group in groupby(shown, key=lambda day: day[1]):
        names = [name for name, _ in group]
        days = names[0] if len(names) == 1 else f"{names[0]} {words.to} {names[-1]}"
        yield f"{days}, {text}"


def _dated(day: DatedHours, words: _Words) -> str:
    name = f" ({day.name})" if day.name else ""
    return f"{day.on.strftime(words.date_format)}{name}, {_intervals(day.intervals, words)}"


def _intervals(intervals: Sequence[Interval], words: _Words) -> str:
    ordered = sorted(intervals, key=lambda interval: interval.opens)
    spans = [
        words.all_day
        if (interval.opens, interval.closes) == ("00:00", "24:00")
        else f"{interval.opens} {words.to} {interval.closes}"
        for interval in ordered
    ]
    return f" {words.conjunction} ".join(spans) or words.closed
