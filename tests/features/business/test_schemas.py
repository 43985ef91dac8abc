"""What a profile may hold; what it may not is refused with the place named."""

from typing import Any

import msgspec
import pytest

from app.business.example_profile import example_profile
from app.business.schemas import BusinessProfile
from tests.features.business.profiles import every_day, hours, profile


def _json(**changes: Any) -> dict[str, Any]:
    built: dict[str, Any] = msgspec.to_builtins(profile(hours=every_day("09:00-18:00")))
    return {**built, **changes}


def _with_hours(**changes: Any) -> dict[str, Any]:
    base = _json()
    return {**base, "hours": {**base["hours"], **changes}}


def _with_monday(*spans: dict[str, str]) -> dict[str, Any]:
    return _with_hours(weekly={**_json()["hours"]["weekly"], "monday": list(spans)})


def _refusal(value: object) -> str:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(msgspec.json.encode(value), type=BusinessProfile)
    return str(caught.value)


def test_a_profile_survives_its_way_through_json() -> None:
    given = profile(hours=hours("Europe/Madrid", monday=["20:00-02:00"], exceptions={"2026-12-25": []}))

    assert msgspec.json.decode(msgspec.json.encode(given), type=BusinessProfile) == given


@pytest.mark.parametrize("field", sorted(_json()))
def test_every_field_must_be_sent_so_that_saving_never_wipes_what_a_form_does_not_show(field: str) -> None:
    value = _json()
    del value[field]

    assert f"missing required field `{field}`" in _refusal(value)


def test_a_field_that_does_not_exist_is_refused() -> None:
    assert "unknown field `tonne`" in _refusal(_json(tonne="warm"))


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (_json(name=""), "$.name"),
        (_json(name="  "), "$.name"),
        (_json(name="x" * 101), "$.name"),
        (_json(description="x" * 2001), "$.description"),
        (_json(language="fr"), "$.language"),
        (_json(disclosure=" "), "$.disclosure"),
        (_json(answer_policy="some"), "$.answer_policy"),
        (_json(paused="yes"), "$.paused"),
        (_json(facts=[{"heading": "a", "text": "b"}, {"heading": "", "text": "b"}]), "$.facts[1].heading"),
        (_json(facts=[{"heading": "a", "text": "x" * 2001}]), "$.facts[0].text"),
        (_json(facts=[{"heading": "a", "text": "b"}] * 201), "$.facts"),
        (_with_hours(exceptions=[{"on": "2026-02-30", "name": "", "intervals": []}]), "$.hours.exceptions[0].on"),
        (_with_monday({"opens": "9:00", "closes": "18:00"}), "$.hours.weekly.monday[0].opens"),
        (_with_monday({"opens": "24:00", "closes": "18:00"}), "$.hours.weekly.monday[0].opens"),
        (_with_monday({"opens": "09:00\n", "closes": "18:00"}), "$.hours.weekly.monday[0].opens"),
        (_with_monday({"opens": "09:00", "closes": "24:01"}), "$.hours.weekly.monday[0].closes"),
        (_with_monday(*[{"opens": f"0{hour}:00", "closes": f"0{hour}:30"} for hour in range(7)]), "monday"),
    ],
)
def test_a_value_out_of_bounds_is_refused_with_its_place(value: dict[str, Any], place: str) -> None:
    assert place in _refusal(value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (_with_monday({"opens": "09:00", "closes": "09:00"}), "opens and closes at the same time"),
        (
            _with_monday({"opens": "12:00", "closes": "18:00"}, {"opens": "09:00", "closes": "12:01"}),
            "two intervals of monday overlap",
        ),
        (
            _with_monday({"opens": "20:00", "closes": "02:00"}, {"opens": "23:00", "closes": "23:30"}),
            "two intervals of monday overlap",
        ),
        (_with_hours(time_zone="Bogota"), "time_zone is not a name of the IANA database"),
        (_with_hours(time_zone="localtime"), "time_zone is not"),
        (_with_hours(time_zone="../../etc/passwd"), "time_zone is not"),
        (_with_hours(time_zone="America/"), "time_zone is not"),
        (_with_hours(exceptions=[{"on": "2026-12-25", "name": "", "intervals": []}] * 2), "the same date twice"),
    ],
)
def test_hours_that_contradict_themselves_are_refused(value: dict[str, Any], said: str) -> None:
    assert said in _refusal(value)


def test_intervals_may_touch() -> None:
    value = _with_monday({"opens": "12:00", "closes": "18:00"}, {"opens": "09:00", "closes": "12:00"})

    assert msgspec.convert(value, BusinessProfile).hours is not None


@pytest.mark.parametrize("language", ["es", "en", "pt-BR"])
def test_the_example_profile_is_valid_and_marks_every_fact_as_an_example(language: Any) -> None:
    example = example_profile(language)

    assert msgspec.convert(msgspec.to_builtins(example), BusinessProfile) == example
    assert example.language == language
    assert len(example.facts) >= 3
    assert all(fact.text.startswith(("(Ejemplo)", "(Example)", "(Exemplo)")) for fact in example.facts)
    assert not example.paused
