"""A little city whose places, offers, providers and areas all have hostile names."""

from hand_rows import FACILITIES, Rows
from hostile_names import CORPUS, category
from sqlalchemy import text


def build(rows: Rows) -> None:
    """Write the city; place number n has the facility id ``h<n>`` and the n-th name throughout."""
    rows.city()
    for number, name in enumerate(CORPUS):
        rows.session.execute(
            text("UPDATE area SET name = :name WHERE (level, key) IN (SELECT level, key FROM area "
                 "ORDER BY level, key OFFSET :number LIMIT 1)"),
            {"name": name, "number": number},
        )  # fmt: skip
    version = rows.version(FACILITIES, "facilities")
    for number, name in enumerate(CORPUS):
        key = f"h{number}"
        at = (40 + 65.0 * number, 300 + 20.0 * (number % 60))
        rows.place(
            version, key, at, name=name, provider=name, street=name, house_number=name[:20], city=name,
            website=name, phone=name, email=name,
        )  # fmt: skip
        rows.offer(
            version, key, key, "public", name=f"Angebot {name}", category=category(number), type=name,
            opening_hours=name,
        )  # fmt: skip
    rows.session.execute(
        text("UPDATE import_run SET title = :a, attribution = :b, licence = :c"),
        {"a": CORPUS[1], "b": CORPUS[10], "c": CORPUS[3]},
    )
    rows.link()
