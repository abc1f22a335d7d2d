"""Waiting in a browser test for something in the page."""

import time

from playwright.sync_api import Page


def until(page: Page, expression: str, *, timeout_s: float = 30.0) -> None:
    """Wait until an expression, or a function without arguments, is true in the page.

    Playwright's own waiting evaluates texts in the page from the second look on, which our policy forbids.
    """
    end = time.monotonic() + timeout_s
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"not within {timeout_s} s: {expression}"
        page.wait_for_timeout(30)
