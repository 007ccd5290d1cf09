"""Files in two browsers: chosen, dropped, pasted; seen and saved by somebody else."""

from __future__ import annotations

import base64
import io
import re
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from tests.server import Member, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import FilePayload, Locator, Page

    from tests.e2e.conftest import NewPage
    from tests.server import Server

pytestmark = pytest.mark.browser

MAX_BYTES = 300_000
NOTES: FilePayload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"what it says"}

GIVE = """([data, names, kind, selector]) => {
    const transfer = new DataTransfer();
    for (const name of names) {
        const bytes = Uint8Array.from(atob(data), char => char.charCodeAt(0));
        transfer.items.add(new File([bytes], name));
    }
    const options = { bubbles: true, cancelable: true };
    const element = document.querySelector(selector);
    if (kind === 'paste') {
        element.dispatchEvent(new ClipboardEvent('paste', { ...options, clipboardData: transfer }));
    } else {
        for (const type of ['dragover', 'drop'])
            element.dispatchEvent(new DragEvent(type, { ...options, dataTransfer: transfer }));
    }
}"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Run a server that takes small files."""
    with running(CHAT_MAX_FILE_BYTES=str(MAX_BYTES), CHAT_RATE_LIMIT="off") as server:
        yield server


def picture(width: int = 1200, height: int = 800) -> bytes:
    image = Image.new("RGB", (width, height), "#1c6b66")
    ImageDraw.Draw(image).ellipse((width // 4, height // 4, width // 2, height // 2), fill="#e3b341")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def enter(page: Page, server: Server, name: str, room: str) -> Page:
    page.goto(f"{server.url}/r/{room}")
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Join").click()
    expect(page.locator("[data-state=connected]")).to_be_attached()
    expect(page.get_by_role("button", name="Attach files")).to_be_visible()
    return page


def give(page: Page, kind: str, data: bytes, *names: str, selector: str = "#message") -> None:
    """Paste files, or drop them."""
    page.evaluate(GIVE, [base64.b64encode(data).decode(), names, kind, selector])


def choose(page: Page, *files: FilePayload) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Attach files").click()
    chooser.value.set_files(list(files))


def uploads(page: Page) -> Locator:
    return page.get_by_role("list", name="Files to send").get_by_role("listitem")


def shown(page: Page, name: str) -> dict[str, Any]:
    """Wait until an image is there, and return its size as it is and as it is drawn."""
    image = page.get_by_role("log").get_by_role("img", name=name)
    expect(image).not_to_have_js_property("naturalWidth", 0)
    sizes = "image => ({ natural: [image.naturalWidth, image.naturalHeight], box: [image.width, image.height] })"
    found: dict[str, Any] = image.evaluate(sizes)
    return found


def test_a_file_is_chosen_sent_and_saved_by_another_under_its_name(
    server: Server, new_page: NewPage, tmp_path: Path
) -> None:
    ada, bob = enter(new_page(), server, "Ada", "chosen"), enter(new_page(), server, "Bob", "chosen")

    choose(ada, NOTES)
    expect(uploads(ada)).to_have_attribute("data-state", "done")
    ada.get_by_role("textbox", name="Message").fill("read this")
    ada.keyboard.press("Enter")
    expect(uploads(ada)).to_have_count(0)

    expect(bob.get_by_role("log").get_by_text("read this")).to_be_visible()
    link = bob.get_by_role("log").get_by_role("link", name="notes.txt")
    expect(link).to_contain_text("12 bytes")
    with bob.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == "notes.txt"
    download.value.save_as(tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == b"what it says"
    expect(ada.get_by_role("log").get_by_role("link", name="notes.txt")).to_be_visible()


def test_a_picture_is_dropped_and_seen_by_another_small_and_whole(server: Server, new_page: NewPage) -> None:
    ada, bob = enter(new_page(), server, "Ada", "dropped"), enter(new_page(), server, "Bob", "dropped")

    give(ada, "drop", picture(), "view.png", selector=".timeline")
    expect(uploads(ada)).to_have_attribute("data-state", "done")
    ada.get_by_role("button", name="Send").click()

    small = shown(bob, "view.png")
    assert (small["natural"], small["box"][0]) == ([640, 427], 320)
    bob.get_by_role("link", name="view.png").click()
    dialog = bob.get_by_role("dialog", name="view.png")
    whole = dialog.get_by_role("img")
    whole.evaluate("image => image.decode()")
    assert whole.evaluate("image => image.naturalWidth") == 1200
    bob.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_picture_is_pasted_and_is_there_after_a_reload(server: Server, new_page: NewPage) -> None:
    ada = enter(new_page(), server, "Ada", "pasted")

    give(ada, "paste", picture(100, 50), "image.png")
    expect(uploads(ada)).to_have_attribute("data-state", "done")
    ada.get_by_role("textbox", name="Message").press("Enter")
    assert shown(ada, "image.png")["box"] == [100, 50]

    ada.reload()

    assert shown(ada, "image.png")["box"] == [100, 50]


def test_a_picture_that_cannot_be_had_now_is_asked_for_again(server: Server, new_page: NewPage) -> None:
    ada = enter(new_page(), server, "Ada", "again")
    busy = re.compile(r"/thumb\?(?!.*attempt=)")  # at the first time
    ada.route(busy, lambda route: route.fulfill(status=503))

    give(ada, "paste", picture(100, 50), "image.png")
    expect(uploads(ada)).to_have_attribute("data-state", "done")
    ada.get_by_role("button", name="Send").click()
    expect(ada.locator("[data-offset='1'] img[src*='attempt=2']")).to_be_visible()

    assert shown(ada, "image.png")["natural"] == [100, 50]


def test_what_is_dropped_beside_the_room_is_not_taken_and_the_page_stays(server: Server, new_page: NewPage) -> None:
    ada = enter(new_page(), server, "Ada", "beside")

    give(ada, "drop", picture(), "view.png", selector=".panel")

    expect(uploads(ada)).to_have_count(0)
    expect(ada.get_by_role("textbox", name="Message")).to_be_visible()


def test_sending_waits_for_what_is_on_its_way(server: Server, new_page: NewPage) -> None:
    ada = enter(new_page(), server, "Ada", "waits")
    held: list[Any] = []
    ada.route("**/files?*", lambda route: held.append(route))  # noqa: PLW0108  (a built-in takes no mark of Playwright's)
    choose(ada, NOTES)
    expect(uploads(ada).get_by_role("progressbar")).to_be_visible()
    ada.get_by_role("textbox", name="Message").fill("with a file")
    ada.get_by_role("textbox", name="Message").press("Enter")

    expect(ada.get_by_role("status").get_by_text("Sends as soon as")).to_be_visible()
    expect(ada.get_by_role("log").get_by_text("with a file")).to_have_count(0)
    held[0].continue_()

    expect(ada.get_by_role("log").get_by_text("with a file")).to_be_visible()
    expect(ada.get_by_role("log").get_by_role("link", name="notes.txt")).to_be_visible()


def test_an_upload_is_cancelled(server: Server, new_page: NewPage) -> None:
    ada = enter(new_page(), server, "Ada", "cancelled")
    ada.route("**/files?*", lambda _: None)
    choose(ada, NOTES)

    ada.get_by_role("button", name="Cancel notes.txt").click()

    expect(uploads(ada)).to_have_count(0)
    expect(ada.get_by_role("button", name="Send")).to_be_disabled()


def test_what_fails_says_why_and_is_tried_again(server: Server, new_page: NewPage) -> None:
    ada = enter(new_page(), server, "Ada", "fails")
    large: FilePayload = {"name": "large.bin", "mimeType": "", "buffer": bytes(MAX_BYTES + 1)}
    ada.route("**/files?*", lambda route: route.abort(), times=1)

    choose(ada, NOTES, large)

    expect(uploads(ada).nth(0).get_by_role("alert")).to_have_text("Not uploaded: the server could not be reached")
    expect(uploads(ada).nth(1).get_by_role("alert")).to_contain_text("larger than 300 KB")
    ada.get_by_role("textbox", name="Message").fill("not yet")
    ada.get_by_role("textbox", name="Message").press("Enter")
    expect(ada.get_by_role("log").get_by_text("not yet")).to_have_count(0)
    ada.get_by_role("button", name="Remove large.bin").click()
    ada.get_by_role("button", name="Retry").click()
    expect(uploads(ada)).to_have_attribute("data-state", "done")
    ada.get_by_role("button", name="Send").click()

    expect(ada.get_by_role("log").get_by_role("link", name="notes.txt")).to_be_visible()


def test_several_go_with_one_message_and_leave_with_it(server: Server, new_page: NewPage) -> None:
    ada, bob = enter(new_page(), server, "Ada", "several"), Member(server, "Bob")
    bob.call(subscribe={"channel": "several"})

    give(ada, "drop", picture(60, 40), "one.png", "two.png", "three.png", selector=".timeline")
    expect(uploads(ada).and_(ada.locator("[data-state=done]"))).to_have_count(3)
    ada.get_by_role("button", name="Send").click()

    files = bob.publication()["data"]["files"]
    assert [file["name"] for file in files] == ["one.png", "two.png", "three.png"]
    expect(ada.get_by_role("log").get_by_role("img")).to_have_count(3)


def test_a_draft_keeps_its_files_while_one_looks_elsewhere(server: Server, new_page: NewPage) -> None:
    ada = enter(new_page(), server, "Ada", "draft")
    choose(ada, NOTES)
    expect(uploads(ada)).to_have_attribute("data-state", "done")

    ada.evaluate("history.pushState(null, '', '/r/elsewhere'); dispatchEvent(new PopStateEvent('popstate'))")
    expect(ada.get_by_role("heading", name="elsewhere")).to_be_visible()
    expect(uploads(ada)).to_have_count(0)
    ada.go_back()

    expect(uploads(ada)).to_have_count(1)


def test_without_files_there_is_no_button(new_page: NewPage) -> None:
    with running(CHAT_FILES="off") as server:
        page = new_page()
        page.goto(server.url)
        page.get_by_label("Your name").fill("Ada")
        page.get_by_role("button", name="Join").click()
        expect(page.locator("[data-state=connected]")).to_be_attached()
        expect(page.get_by_text("This is where lobby begins").or_(page.get_by_text("Say hello"))).to_be_visible()

        expect(page.get_by_role("button", name="Attach files")).to_have_count(0)


@pytest.mark.parametrize("name", ["page.html", "image.svg"])
def test_an_address_of_a_file_opened_by_hand_runs_nothing(server: Server, new_page: NewPage, name: str) -> None:
    bob = Member(server, "Bob")
    bob.call(subscribe={"channel": "opened"})
    key = bob.rpc("files", channel="opened")["key"]
    page = new_page()
    page.goto(server.url)
    script = "<script>alert(document.domain)</script>"
    body = script if name.endswith("html") else f'<svg xmlns="http://www.w3.org/2000/svg">{script}</svg>'
    posted = page.request.post(f"{server.url}/files?key={key}&name={name}", data=body).json()

    with page.expect_download() as download:
        page.evaluate("url => { location.href = url }", f"{server.url}/files/{posted['id']}?key={key}")

    assert download.value.suggested_filename == name
