"""Some seconds of `make hour`: five browsers, a bad network, and pages that end equal to what the server has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.hour.script import run

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


def test_five_browsers_chat_over_a_bad_network_and_end_equal_to_the_server(browser: Browser) -> None:
    report = run(30, 1, browser)

    assert not report.differences, "\n".join(report.differences[:20])
    assert report.faults.total() >= 3
    assert report.messages >= 10
    assert report.compared == 5 * report.messages
