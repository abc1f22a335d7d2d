"""The options of ``sozialraumkarte analyse``: named and meant like the parameters of the API."""

from pathlib import Path
from typing import Annotated

import typer

Level = Annotated[str | None, typer.Option(help="Gebietsebene, etwa bezirk, stadtteil, statgebiet, sozialraum.")]
Polygon = Annotated[
    Path | None,
    typer.Option(metavar="DATEI.geojson", help="Statt einer Ebene: eigene Flächen (GeoJSON in WGS 84)."),
]
Category = Annotated[str | None, typer.Option(help="Kategorie der Angebote, etwa okja; mehrere mit Komma.")]
AgeFrom = Annotated[int | None, typer.Option(help="Alter ab (einschließlich); ohne Angabe ab 0.")]
AgeTo = Annotated[int | None, typer.Option(help="Alter bis unter (ausschließlich); ohne Angabe offen.")]
Minutes = Annotated[int | None, typer.Option(help="Höchstens so viele Minuten Weg (1 bis 120); ohne Angabe 15.")]
Mode = Annotated[
    str | None,
    typer.Option(help="walk (zu Fuß), bike (Fahrrad) oder line (Luftlinie); ohne Angabe walk, ohne Wegenetz line."),
]
Decay = Annotated[
    str | None,
    typer.Option(
        help="Gewicht nach Entfernung: bands, gaussian, none oder eigene Stufen wie 5:1,10:0.68,15:0.22; "
        "ohne Angabe bands."
    ),
]
SupplyUnit = Annotated[
    str | None, typer.Option(help="Einheit der Kapazität: places oder hours_per_week; ohne Angabe places.")
]
Type = Annotated[str | None, typer.Option("--type", help="Nur diese Arten von Angeboten; mehrere mit Komma.")]
BarrierFree = Annotated[str | None, typer.Option(help="Nur yes, partly, no; mehrere mit Komma.")]
AreaOption = Annotated[
    str | None, typer.Option(help="Nur dieses Gebiet oder die Gebiete darin: ebene:schlüssel, etwa bezirk:1.")
]
TheArea = Annotated[str | None, typer.Option("--area", help="Das Gebiet: ebene:schlüssel, etwa stadtteil:02101.")]
Period = Annotated[str | None, typer.Option(help="Zeitraum, etwa 2024; ohne Angabe der letzte.")]
Measure = Annotated[str | None, typer.Option(help="Maß: supply, reach oder catchment; ohne Angabe supply.")]
Standard = Annotated[str | None, typer.Option(help="Richtwert nach seinem Kürzel (siehe analyse standards).")]
StandardValue = Annotated[
    float | None, typer.Option(help="Statt eines Richtwerts ein angenommener Wert: je 1.000, bei reach ein Anteil.")
]
Need = Annotated[
    str | None,
    typer.Option(
        help="Kennzahlen des Bedarfs: kennzahl[:position][*gewicht], mehrere mit Komma; ein Minus davor: "
        "ein niedriger Wert ist mehr Bedarf."
    ),
]
NeedWeight = Annotated[float | None, typer.Option(help="Gewicht des Bedarfs gegenüber dem Fehlbedarf; ohne Angabe 1.")]
Lon = Annotated[float | None, typer.Option(help="Länge in Grad (WGS 84), etwa 9.99.")]
Lat = Annotated[float | None, typer.Option(help="Breite in Grad (WGS 84), etwa 53.55.")]
Indicators = Annotated[
    str | None,
    typer.Option(help="Kennzahlen des Vergleichs: kennzahl[:position][*gewicht], mehrere mit Komma."),
]
Indicator = Annotated[str | None, typer.Option(help="Kennzahl, deren räumliche Häufung gesucht wird.")]
Position = Annotated[str | None, typer.Option(help="Position der Kennzahl, etwa 0-18; nötig, wo es mehrere gibt.")]
Paragraph = Annotated[str | None, typer.Option(help="Paragraf des SGB VIII; ohne Angabe 34.")]
Quarter = Annotated[str | None, typer.Option("--period", help="Zeitraum, etwa 2021-Q3; ohne Angabe der letzte.")]
Compare = Annotated[
    str | None, typer.Option(help="Zeitraum gleicher Art, gegen den die Veränderung gezählt wird, etwa 2019-Q3.")
]
AreaRole = Annotated[str | None, typer.Option(help="zustaendig oder herkunft; ohne Angabe zustaendig, wo es das gibt.")]
CountingWord = Annotated[str | None, typer.Option("--counting", help="stichtag oder begonnen; ohne Angabe stichtag.")]
Series = Annotated[bool, typer.Option("--series", help="Alle Zeiträume dieser Art, der älteste zuerst.")]
From = Annotated[str | None, typer.Option("--from", help="Zeiträume ab diesem, einschließlich, etwa 2018.")]
To = Annotated[str | None, typer.Option("--to", help="Zeiträume bis zu diesem, einschließlich, etwa 2020.")]
Base = Annotated[
    str | None, typer.Option(help="Basisjahr für Veränderung, Zielschwelle und Effekt; ohne Angabe fehlen diese.")
]
BudgetBase = Annotated[
    str | None,
    typer.Option("--base", help="Basisjahr der erwarteten Ausgaben; ohne Angabe das erste mit Ausgaben."),
]
YearlyGrowth = Annotated[
    float | None, typer.Option(help="Jährliche Steigerung der Zielschwelle als Bruch; ohne Angabe 0.04 für 4 %.")
]
Scenario = Annotated[str | None, typer.Option(help="ist, prognose oder plan; ohne Angabe ist.")]
Compared = Annotated[
    str | None,
    typer.Option(
        "--measure",
        help="Wovon Veränderung, Unterschied zur Stadt und Effekt sind, etwa spending_eur oder help_density; "
        "ohne Angabe spending_eur.",
    ),
]
HelpPosition = Annotated[
    str | None,
    typer.Option("--position", help="Nur diese Hilfeart oder Gruppe, etwa alle_hilfen; ohne Angabe alle."),
]
CityLevel = Annotated[
    str | None, typer.Option(help="Ebene der Stadt, mit der verglichen wird; ohne Angabe die weiteste mit Zahlen.")
]
Limit = Annotated[int | None, typer.Option(min=1, help="Höchstens so viele Zeilen.")]
Version = Annotated[
    str | None, typer.Option(help="veroeffentlichung (Voreinstellung) oder intern (wird im Protokoll vermerkt).")
]
AsJson = Annotated[bool, typer.Option("--json", help="Als JSON ausgeben, wie die Schnittstelle.")]
Out = Annotated[
    Path | None,
    typer.Option(metavar="DATEI", help="In diese Datei schreiben: .json, .geojson, .csv, .xlsx oder .gpkg."),
]
