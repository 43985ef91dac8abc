"""The profile as passages, in its own language."""

from datetime import date
from typing import Any

import msgspec
import pytest

from app.business.passages import Passage, profile_passages
from app.business.schemas import Fact, Hours
from tests.features.business.profiles import every_day, hours, profile

OFFICE = hours(
    "America/Bogota",
    monday=["14:00-18:00", "09:00-12:30"],
    tuesday=["09:00-12:30", "14:00-18:00"],
    wednesday=["09:00-12:30", "14:00-18:00"],
    saturday=["10:00-14:00"],
    exceptions={"2026-12-25": [], "2026-12-24": ["09:00-13:00"]},
)

_SPANISH = (
    "Nuestro horario: lunes a miércoles, 09:00 a 12:30 y 14:00 a 18:00; jueves a viernes, cerrado; "
    "sábado, 10:00 a 14:00; domingo, cerrado. Fechas especiales: 24/12/2026, 09:00 a 13:00; 25/12/2026, cerrado. "
    "Hora local: America/Bogota."
)
_ENGLISH = (
    "We are open: Monday to Wednesday, 09:00 to 12:30 and 14:00 to 18:00; Thursday to Friday, closed; "
    "Saturday, 10:00 to 14:00; Sunday, closed. Special dates: 2026-12-24, 09:00 to 13:00; 2026-12-25, closed. "
    "Local time: America/Bogota."
)
_PORTUGUESE = (
    "Nosso horário: segunda a quarta, 09:00 a 12:30 e 14:00 a 18:00; quinta a sexta, fechado; "
    "sábado, 10:00 a 14:00; domingo, fechado. Datas especiais: 24/12/2026, 09:00 a 13:00; 25/12/2026, fechado. "
    "Horário local: America/Bogota."
)


def _hours_text(language: str, given: Hours, *, today: date | None = None) -> str:
    passages = profile_passages(profile(language=language, hours=given), today=today)
    return passages[1].text


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", _SPANISH),
        ("en", _ENGLISH),
        ("pt-BR", _PORTUGUESE),
    ],
)
def test_hours_are_told_in_the_language_of_the_profile(language: str, text: str) -> None:
    assert _hours_text(language, OFFICE) == text


def test_a_week_without_a_break_is_told_as_one() -> None:
    assert "lunes a domingo, las 24 horas." in _hours_text("es", every_day("00:00-24:00"))


def test_exceptions_of_the_past_are_left_out() -> None:
    assert "24/12/2026" not in _hours_text("es", OFFICE, today=date(2026, 12, 25))
    assert "Fechas especiales" not in _hours_text("es", OFFICE, today=date(2026, 12, 26))


def test_the_name_of_an_exception_is_told() -> None:
    christmas = msgspec.structs.replace(
        OFFICE, exceptions=[msgspec.structs.replace(OFFICE.exceptions[0], name="Navidad")]
    )

    assert "25/12/2026 (Navidad), cerrado" in _hours_text("es", christmas)


def test_facts_come_as_they_were_written_after_who_the_business_is() -> None:
    passages = profile_passages(
        profile(
            name="Café Sol", description="Tostamos café.", facts=[Fact(heading="¿Envían?", text="Sí, a todo el país.")]
        )
    )

    assert passages == [
        Passage("Quiénes somos", "Somos Café Sol. Tostamos café."),
        Passage("¿Envían?", "Sí, a todo el país."),
    ]


def test_an_empty_description_leaves_no_trace() -> None:
    assert profile_passages(profile(name="Sol", description="", facts=[])) == [Passage("Quiénes somos", "Somos Sol.")]


@pytest.mark.parametrize("language", ["es", "en", "pt-BR"])
def test_each_language_says_everything(language: Any) -> None:
    headings = [passage.heading for passage in profile_passages(profile(language=language, hours=OFFICE, facts=[]))]

    assert len(headings) == 2
    assert all(headings)
