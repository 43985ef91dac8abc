"""`mostrador chat` talks to whatever answers behind a simulator."""

import io
import os
from pathlib import Path

import pytest

from app.simulator.chat import chat
from tests.features.simulator.conftest import World


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


async def test_each_line_waits_for_its_answer_and_the_end_is_a_success(world: World, screen: io.StringIO) -> None:
    world.receiver.echo_with(world.graph)
    code = await chat(world.url, lines=io.StringIO("hola\n\nadiós\n"), output=screen, http=world.http)
    assert code == 0
    said = [line for line in screen.getvalue().splitlines() if line.startswith("<")]
    assert said == ["< echo: hola", "< echo: adiós"]
    assert "✓✓ read" in screen.getvalue()


async def test_an_answer_that_never_comes_is_said_and_not_waited_for_longer(world: World, screen: io.StringIO) -> None:
    code = await chat(
        world.url, lines=io.StringIO("hola\n"), output=screen, http=world.http, answer_timeout_seconds=0.1
    )
    assert code == 0
    assert "no answer" in screen.getvalue()


async def test_quit_ends_the_chat_before_the_input_does(world: World, screen: io.StringIO) -> None:
    assert await chat(world.url, lines=io.StringIO("/quit\nhola\n"), output=screen, http=world.http) == 0
    assert world.receiver.messages == []


async def test_without_a_simulator_one_sentence_says_what_to_start(world: World, screen: io.StringIO) -> None:
    code = await chat("http://127.0.0.1:9", lines=io.StringIO("hola\n"), output=screen, http=world.http)
    assert code == 1
    [sentence] = screen.getvalue().splitlines()
    assert "make run" in sentence


async def test_a_server_that_has_no_simulator_is_told_from_one_that_is_down(world: World, screen: io.StringIO) -> None:
    elsewhere = world.simulator.config.webhook_url
    code = await chat(elsewhere, lines=io.StringIO("hola\n"), output=screen, http=world.http)
    assert code == 1
    assert "SIMULATOR" in screen.getvalue()


async def test_buttons_are_numbered_and_can_be_tapped(world: World, screen: io.StringIO) -> None:
    async def offer(message: dict[str, object]) -> None:
        sender = str(message["from"])
        if message["type"] == "interactive":
            await world.graph.say(sender, "bien")
            return
        buttons = [{"type": "reply", "reply": {"id": f"b{n}", "title": f"Opción {n}"}} for n in (1, 2)]
        content = {"type": "button", "body": {"text": "¿Cuál?"}, "action": {"buttons": buttons}}
        await world.graph.send(
            {"messaging_product": "whatsapp", "to": sender, "type": "interactive", "interactive": content}
        )

    world.receiver.answer = offer
    lines = io.StringIO("/button 1\nhola\n/button 9\n/button 2\n")
    assert await chat(world.url, lines=lines, output=screen, http=world.http) == 0
    assert "? no buttons" in screen.getvalue()
    assert "    [2] Opción 2" in screen.getvalue()
    assert "? /button 1-2" in screen.getvalue()
    assert world.receiver.messages[-1]["interactive"]["button_reply"] == {"id": "b2", "title": "Opción 2"}


async def test_pictures_are_sent_from_a_file_or_as_a_sample(world: World, screen: io.StringIO, tmp_path: Path) -> None:
    async def thank(message: dict[str, object]) -> None:
        await world.graph.say(str(message["from"]), "gracias")

    world.receiver.answer = thank
    photo = tmp_path / "foto.jpg"
    photo.write_bytes(b"\xff\xd8photo")
    lines = io.StringIO(f"/image\n/image {photo}\n/image {tmp_path / 'none.png'}\n/help\n/dance\n")
    assert await chat(world.url, lines=lines, output=screen, http=world.http) == 0
    assert [message["image"]["mime_type"] for message in world.receiver.messages] == ["image/png", "image/jpeg"]
    assert "No such file" in screen.getvalue()
    assert "? /dance" in screen.getvalue()


async def test_what_was_said_before_is_not_shown_again(world: World, screen: io.StringIO) -> None:
    world.receiver.echo_with(world.graph)
    await chat(world.url, lines=io.StringIO("uno\n"), output=io.StringIO(), http=world.http)
    await chat(world.url, lines=io.StringIO("dos\n"), output=screen, http=world.http)
    assert "uno" not in screen.getvalue()
    assert "< echo: dos" in screen.getvalue()


async def test_a_terminal_gets_help_and_is_not_held_up_by_a_bot_that_is_silent(
    world: World, screen: io.StringIO
) -> None:
    keyboard, terminal = os.openpty()
    with os.fdopen(terminal, "r", encoding="utf-8") as lines, os.fdopen(keyboard, "w", encoding="utf-8") as keys:
        keys.write("hola\n/quit\n")
        keys.flush()
        assert await chat(world.url, lines=lines, output=screen, http=world.http) == 0
    assert "/quit" in screen.getvalue()
    await world.receiver.wait_until(lambda r: r.messages)
