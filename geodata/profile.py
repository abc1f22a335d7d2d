"""The question "what is known of this area": who lives there, what is there, who is reached, and which areas are alike.

Everything is asked of the questions there are (``area_profile``, ``coverage``, ``similar``), with the viewer's eyes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata import words
from geodata.answer import WITHOUT_RELEASE, Meta, Source, footnotes
from geodata.areas import AreaProfile, area_profile, levels
from geodata.coverage.notes import pace_in_words
from geodata.coverage.people import people_of
from geodata.coverage.request import Pace, without_network
from geodata.errors import ParameterError
from geodata.profile_coverage import CategoryCount, Compared, ComparedAll, categories_in, compared
from geodata.profile_residents import Residents, residents_of
from geodata.profile_sentences import Said, sentences
from geodata.similar import SimilarRequest, similar
from geodata.viewer import Version

MOST_CHILDREN = 200


@dataclass(frozen=True, slots=True)
class ProfileRequest:
    """The area ``key`` of ``level``. ``on``: the day on which offers must be valid.

    ``minutes`` (inclusive) and ``pace``: when a place counts as reached. ``peers``: so many comparable areas.
    """

    level: str
    key: str
    on: date
    minutes: int = 15
    pace: Pace = field(default_factory=Pace)
    peers: int = 5
    version: Version = Version.PUBLISHED


@dataclass(frozen=True, slots=True)
class AreaName:
    """An area as a link names it."""

    level: str
    level_title: str
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Inside:
    """The areas of a level that an area contains; ``more``: so many beyond those listed."""

    level_title: str
    areas: tuple[AreaName, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Peer:
    """A comparable area; ``distance`` in standard deviations of the indicators compared."""

    area: AreaName
    distance: float


@dataclass(slots=True)
class Profile:
    """The answer. ``categories``: none of an area without map, of which nobody knows what is in it.

    ``city``: what the whole is called, None where no single area contains the others.

    ``above``: what contains the area, widest first. ``peers`` nearest first; ``peers_note`` says how they were found,
    or why there are none. ``said``: the figures in sentences, by part of the profile.
    """

    meta: Meta
    area: AreaProfile
    city: str | None
    above: list[AreaName]
    inside: list[Inside]
    residents: Residents
    categories: list[CategoryCount]
    minutes: int
    compared: tuple[Compared, ...]
    peers: list[Peer]
    peers_note: str
    said: dict[str, list[Said]]


def profile(session: Session, request: ProfileRequest) -> Profile:
    """Return the profile of an area.

    Raises ``ParameterError`` for an unknown level, ``NotFoundError`` for an unknown key.
    """
    answer = area_profile(session, request.level, request.key, on=request.on, version=request.version)
    (area,) = answer.rows
    people = people_of(session)
    residents = residents_of(session, request.level, request.key, people)
    # Where an area without map lies nobody knows: neither who lives there, nor who is near, nor what is in it.
    mapped = area.geometry is not None
    categories = categories_in(session, request.level, request.key, on=request.on) if mapped else []
    peers, peers_note, peer_sources = _peers(session, request, area)
    measured = compared(
        session,
        (request.level, request.key),
        [peer.area.key for peer in peers],
        [one.category for one in categories],
        on=request.on,
        minutes=request.minutes,
        pace=request.pace,
        people=people if mapped else None,
    )
    city = _city(session)
    made = Profile(
        meta=footnotes(
            session,
            title=f"Gebietsprofil {area.level_title} {area.area_name}",
            method=_method(request, residents, measured),
            unit="je Tabelle angegeben",
            version=request.version,
            sources=_once([*residents.sources, *measured.sources, *peer_sources, *answer.meta.sources]),
            missing=_missing(area, residents, measured.rows),
            warnings=list(dict.fromkeys([WITHOUT_RELEASE, *residents.notes, *measured.warnings, peers_note])),
        ),
        area=area,
        city=city,
        above=_above(session, request.level, request.key),
        inside=_inside(session, area),
        residents=residents,
        categories=categories,
        minutes=request.minutes,
        compared=measured.rows,
        peers=peers,
        peers_note=peers_note,
        said={},
    )
    places = area.facilities if mapped else None
    made.said = sentences(area.area_name, city, residents, categories, places, measured.rows, request.minutes)
    return made


def _peers(session: Session, request: ProfileRequest, area: AreaProfile) -> tuple[list[Peer], str, list[Source]]:
    """Return the areas like this one, and a sentence on how they were found, or why there are none."""
    try:
        answer = similar(
            session, SimilarRequest(request.level, request.key, limit=request.peers, version=request.version)
        )
    except ParameterError as error:
        return [], f"Vergleichbare Gebiete sind nicht angegeben: {error}", []
    found = [
        Peer(AreaName(row.area_level, area.level_title, row.area_key, row.area_name), row.distance)
        for row in answer.rows
    ]
    if not found:
        return [], "Vergleichbare Gebiete gibt es auf dieser Ebene nicht.", []
    return found, f"Vergleichbare Gebiete: {answer.meta.method}", answer.meta.sources


def _city(session: Session) -> str | None:
    """Return the name of the one area that is a level of its own and contains others, mapped ones first.

    A level of which a single area is loaded is no city.
    """
    name: str | None = session.execute(
        text("""
            SELECT a.name FROM area_visible a
            WHERE a.level = ANY (:single) AND a.parent_key IS NULL
              AND EXISTS (SELECT FROM area_visible c WHERE c.parent_level = a.level AND c.parent_key = a.key)
            ORDER BY a.geom IS NULL, a.level LIMIT 1
        """),
        {"single": [row.level for row in levels(session) if row.areas == 1]},
    ).scalar()
    return name


def _above(session: Session, level: str, key: str) -> list[AreaName]:
    found = session.execute(
        text("""
            WITH RECURSIVE up(level, key, step) AS (
                SELECT parent_level, parent_key, 1 FROM area_visible WHERE level = :level AND key = :key
                UNION
                SELECT a.parent_level, a.parent_key, up.step + 1
                FROM area_visible a JOIN up ON a.level = up.level AND a.key = up.key WHERE up.step < 20
            )
            SELECT a.level, l.title, a.key, a.name FROM up
            JOIN area_visible a ON a.level = up.level AND a.key = up.key JOIN level l ON l.level = a.level
            ORDER BY up.step DESC
        """),
        {"level": level, "key": key},
    )
    return [AreaName(*row) for row in found]


def _inside(session: Session, area: AreaProfile) -> list[Inside]:
    """Return the areas directly inside, by level (few areas first) and name; of very many only the first."""
    found = session.execute(
        text("""
            SELECT a.level, l.title, a.key, a.name FROM area_visible a JOIN level l ON l.level = a.level
            WHERE a.parent_level = :level AND a.parent_key = :key ORDER BY a.level, a.name, a.key
        """),
        {"level": area.area_level, "key": area.area_key},
    )
    by_level: dict[str, list[AreaName]] = {}
    for row in found:
        by_level.setdefault(row.title, []).append(AreaName(*row))
    listed = [
        Inside(title, tuple(areas[:MOST_CHILDREN]), max(0, len(areas) - MOST_CHILDREN))
        for title, areas in by_level.items()
    ]
    return sorted(listed, key=lambda one: len(one.areas) + one.more)


def _once(sources: Iterable[Source]) -> list[Source]:
    return list(dict.fromkeys(sources))


def _missing(area: AreaProfile, residents: Residents, rows: Sequence[Compared]) -> int:
    bands = sum(residents.of(span).value is None for span in residents.bands)
    shares = sum(one.here.reach_share is None for one in rows)
    return bands + shares + (area.area_km2 is None)


def _method(request: ProfileRequest, residents: Residents, measured: ComparedAll) -> str:
    told = {
        "published": "Einwohner, wie die Quelle sie für das Gebiet veröffentlicht",
        "surface": "Einwohner nach den Wohnpunkten auf der Karte",
        None: "Einwohner sind nicht bekannt",
    }[residents.basis]
    said = f"{told}; Einrichtungen zählen dort, wo ihr Punkt liegt"
    if not measured.rows:
        return f"{said}."
    how = pace_in_words(request.pace, "line" if without_network(request.pace) in measured.warnings else "walk")
    return (
        f"{said}; als erreicht gilt, wer höchstens {words.counted(request.minutes, 'eine Minute', 'Minuten')} von der "
        f"nächsten passenden Einrichtung wohnt, wo immer diese steht, {how}; Werte der Stadt und mehrerer Gebiete "
        "zusammen sind aus deren Anzahlen gebildet, nicht gemittelt; Kapazität je 1.000: Plätze oder Wochenstunden der "
        "Einrichtungen im Gebiet, anteilig für die genannten Altersjahre nach dem Altersaufbau aller Einwohner, je "
        "1.000 Einwohner dieses Alters."
    )
