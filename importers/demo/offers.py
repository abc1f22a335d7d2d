"""The kinds of invented offers: what each is called, on which law it rests, for whom it is, how much it supplies."""

from dataclasses import dataclass

PLACES = {"okja": 160, "famfoe": 150, "sha": 110, "hze": 180, "kita": 420, "schule": 260}
"""Number of places (Einrichtungen) by category; a place may have several offers."""

UNIT_HOURS, UNIT_PLACES = "hours_per_week", "places"


@dataclass(frozen=True)
class Kind:
    """A kind of offer.

    `word` follows "Beispiel-" in the name; `weight` is its share among the category's places (0: only as a second
    offer); `ages` are variants of from (inclusive) and to (exclusive, "" = open); `supply` is a range in `unit`
    (None: has none); `use` is a range of regular users per week; `second` names the types that may be its second offer.
    """

    type: str
    word: str
    weight: float
    paragraphs: tuple[str, ...]
    ages: tuple[tuple[str, str], ...]
    supply: tuple[int, int] | None = None
    unit: str = ""
    use: tuple[int, int] | None = None
    second: tuple[str, ...] = ()
    citywide: float = 0.0
    protected: bool = False


KINDS: dict[str, tuple[Kind, ...]] = {
    "okja": (
        Kind(
            "Haus der Jugend",
            "Jugendhaus",
            30,
            ("11", "11;13"),
            (("6", "27"), ("10", "21"), ("12", "27")),
            supply=(20, 45),
            unit=UNIT_HOURS,
            use=(60, 260),
            second=("Kindertreff", "Mädchentreff", "Jugendcafé"),
        ),
        Kind(
            "Bauspielplatz",
            "Bauspielplatz",
            20,
            ("11",),
            (("6", "14"), ("6", "16")),
            supply=(20, 36),
            unit=UNIT_HOURS,
            use=(40, 150),
            second=("Kindertreff",),
        ),
        Kind(
            "Jugendcafé",
            "Jugendcafé",
            14,
            ("11",),
            (("12", "21"), ("14", "27")),
            supply=(10, 30),
            unit=UNIT_HOURS,
            use=(20, 90),
        ),
        Kind(
            "Mädchentreff",
            "Mädchentreff",
            12,
            ("11",),
            (("8", "18"), ("6", "21")),
            supply=(10, 28),
            unit=UNIT_HOURS,
            use=(15, 80),
        ),
        Kind(
            "Kindertreff",
            "Kindertreff",
            14,
            ("11",),
            (("6", "14"), ("3", "12")),
            supply=(10, 30),
            unit=UNIT_HOURS,
            use=(20, 110),
        ),
        Kind(
            "Jugendklub",
            "Jugendklub",
            14,
            ("11", "11;13"),
            (("12", "27"), ("10", "")),
            supply=(8, 25),
            unit=UNIT_HOURS,
            use=(15, 80),
        ),
        Kind(
            "Spielmobil",
            "Spielmobil",
            5,
            ("11",),
            (("3", "14"),),
            supply=(8, 20),
            unit=UNIT_HOURS,
            use=(30, 120),
            citywide=0.5,
        ),
    ),
    "famfoe": (
        Kind(
            "Elternschule",
            "Elternschule",
            26,
            ("16",),
            (("0", "10"), ("0", "6"), ("0", "")),
            supply=(10, 32),
            unit=UNIT_HOURS,
            second=("Eltern-Kind-Zentrum", "Erziehungsberatung"),
        ),
        Kind(
            "Eltern-Kind-Zentrum",
            "Eltern-Kind-Zentrum",
            34,
            ("16",),
            (("0", "3"), ("0", "4")),
            supply=(9, 24),
            unit=UNIT_HOURS,
        ),
        Kind(
            "Kinder- und Familienzentrum",
            "Familienzentrum",
            18,
            ("16", "16;28"),
            (("0", "14"), ("0", "18")),
            supply=(15, 38),
            unit=UNIT_HOURS,
            second=("Erziehungsberatung", "Eltern-Kind-Zentrum"),
        ),
        Kind(
            "Erziehungsberatung",
            "Erziehungsberatung",
            14,
            ("28", "16;28"),
            (("0", "18"), ("0", "21")),
            supply=(15, 40),
            unit=UNIT_HOURS,
            second=("Elternschule",),
            citywide=0.1,
        ),
        Kind(
            "Familienbildungsstätte",
            "Familienbildung",
            8,
            ("16",),
            (("0", "18"), ("0", "")),
            supply=(20, 45),
            unit=UNIT_HOURS,
            second=("Elternschule",),
            citywide=0.4,
        ),
    ),
    "sha": (
        Kind(
            "Sozialräumliches Angebot",
            "Stadtteilhilfe",
            34,
            ("16", "11;16", "16;27"),
            (("6", "14"), ("0", "18")),
            supply=(8, 40),
            unit=UNIT_PLACES,
            second=("Begleitung von Kindern", "Familienrat"),
        ),
        Kind(
            "Begleitung von Kindern",
            "Kinderbegleitung",
            22,
            ("16",),
            (("0", "6"), ("3", "14")),
            supply=(6, 24),
            unit=UNIT_PLACES,
        ),
        Kind(
            "Schulbezogenes Angebot",
            "Schulhilfe",
            22,
            ("13", "11;13"),
            (("6", "14"), ("10", "18")),
            supply=(8, 30),
            unit=UNIT_PLACES,
            second=("Berufliche Unterstützung",),
        ),
        Kind("Berufliche Unterstützung", "Berufshilfe", 14, ("13",), (("14", "21"), ("14", "27"))),
        Kind("Familienrat", "Familienrat", 8, ("16", "16;27"), (("0", "18"), ("0", "")), citywide=0.2),
    ),
    "hze": (
        Kind(
            "Wohngruppe",
            "Wohngruppe",
            38,
            ("34", "27;34", "34;41"),
            (("6", "18"), ("12", "18"), ("14", "21")),
            supply=(5, 14),
            unit=UNIT_PLACES,
            second=("Erziehungsbeistand", "Betreutes Wohnen", "Tagesgruppe"),
        ),
        Kind(
            "Betreutes Wohnen",
            "Betreutes Wohnen",
            14,
            ("34;41", "34"),
            (("16", "21"), ("17", "21")),
            supply=(3, 12),
            unit=UNIT_PLACES,
        ),
        Kind(
            "Tagesgruppe",
            "Tagesgruppe",
            12,
            ("32",),
            (("6", "12"), ("6", "14")),
            supply=(8, 14),
            unit=UNIT_PLACES,
            second=("Erziehungsbeistand",),
        ),
        Kind(
            "Sozialpädagogische Familienhilfe",
            "Familienhilfe",
            16,
            ("31", "27;31"),
            (("0", "18"), ("0", "21")),
            second=("Erziehungsbeistand",),
        ),
        Kind("Erziehungsbeistand", "Erziehungsbeistand", 10, ("30", "30;41"), (("10", "18"), ("12", "21"))),
        Kind(
            "Inobhutnahme",
            "Schutzstelle",
            6,
            ("42",),
            (("0", "6"), ("6", "18"), ("12", "18")),
            supply=(4, 12),
            unit=UNIT_PLACES,
            citywide=0.6,
            protected=True,
        ),
        Kind(
            "Mutter-Kind-Einrichtung",
            "Mutter-Kind-Haus",
            5,
            ("19",),
            (("0", "6"),),
            supply=(4, 16),
            unit=UNIT_PLACES,
            citywide=0.4,
            protected=True,
        ),
    ),
    "kita": (
        Kind(
            "Kita",
            "Kita",
            74,
            ("22", "22;24"),
            (("0", "6"), ("1", "6")),
            supply=(40, 180),
            unit=UNIT_PLACES,
            second=("Krippe",),
        ),
        Kind("Krippe", "Krippe", 10, ("22", "22;24"), (("0", "3"),), supply=(12, 45), unit=UNIT_PLACES),
        Kind("Kinderladen", "Kinderladen", 16, ("22",), (("1", "6"), ("3", "6")), supply=(14, 30), unit=UNIT_PLACES),
    ),
    "schule": (
        Kind("Grundschule", "Grundschule", 52, ("",), (("6", "10"),)),
        Kind("Stadtteilschule", "Stadtteilschule", 20, ("",), (("10", "19"),), second=("Grundschule",)),
        Kind("Gymnasium", "Gymnasium", 18, ("",), (("10", "18"),)),
        Kind("Sonderschule", "Förderschule", 7, ("",), (("6", "18"),), second=("Grundschule",)),
        Kind("Berufsbildende Schule", "Berufsschule", 3, ("",), (("15", ""),), citywide=0.3),
    ),
}
"""The kinds by category."""

OPENING_HOURS = {
    "okja": ("Mo–Fr 14:00–20:00", "Di–Sa 13:00–19:00", "Mo–Do 13:00–18:30, Fr 14:00–21:00", "nach Vereinbarung"),
    "famfoe": ("Mo–Fr 9:00–15:00", "Mo, Mi, Do 9:30–13:00", "Di–Fr 9:00–17:00", "nach Vereinbarung"),
    "sha": ("Mo–Fr 10:00–16:00", "Di, Do 14:00–17:00", "nach Vereinbarung"),
    "hze": ("",),
    "kita": ("Mo–Fr 6:00–18:00", "Mo–Fr 7:00–17:00", "Mo–Fr 7:30–16:00"),
    "schule": ("Mo–Fr 8:00–16:00", "Mo–Fr 8:00–13:00"),
}
"""Texts of opening hours by category."""


def kind_of(category: str, type_: str) -> Kind:
    """Return the kind with this type."""
    return next(kind for kind in KINDS[category] if kind.type == type_)
