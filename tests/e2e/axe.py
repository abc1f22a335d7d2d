"""axe-core over a page: what WCAG 2.1 A and AA rules find, with the page's own policy in force."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from layers.browser_assets import ASSETS

_AXE = Path(ASSETS["leaflet.js"]).parents[2] / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]


def violations(page: Page) -> list[tuple[str, Any]]:
    """Return what axe objects to: rule and the elements concerned."""
    page.evaluate(_AXE.read_text(encoding="utf-8") + ";0")
    found = page.evaluate("(rules) => axe.run(document, { runOnly: rules })", RULES)
    return [(one["id"], [node["target"] for node in one["nodes"]]) for one in found["violations"]]
