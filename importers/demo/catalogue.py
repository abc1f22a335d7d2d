"""The demo's catalogues: what its indicators mean, standards (Richtwerte) that nobody resolved, and its Hilfearten."""

CATALOGUE = """\
# Katalog der Beispielstadt: erfundene Kennzahlen und Richtwerte, die niemand beschlossen hat.

[[indicator]]
code = "bev_u14_anz"
title = "Bevölkerung unter 14 Jahren (Beispieldaten)"
unit = "personen"
kind = "count"
residents = true

[[indicator]]
code = "bev_u18_anz"
title = "Bevölkerung unter 18 Jahren (Beispieldaten)"
unit = "personen"
kind = "count"
residents = true

[[indicator]]
code = "haushalte_mit_kindern_anz"
title = "Haushalte mit Kindern (Beispieldaten)"
unit = "haushalte"
kind = "count"

[[indicator]]
code = "sgb2_u14_anz"
title = "Kinder unter 14 Jahren mit Leistungen nach dem SGB II (Beispieldaten)"
unit = "personen"
kind = "count"
residents = true

[[indicator]]
code = "sgb2_u14_proz"
title = "Anteil der Kinder unter 14 Jahren mit Leistungen nach dem SGB II (Beispieldaten)"
unit = "%"
kind = "share"
numerator = "sgb2_u14_anz"
denominator = "bev_u14_anz"
factor = 100

[[indicator]]
code = "alleinerziehende_anz"
title = "Haushalte von Alleinerziehenden (Beispieldaten)"
unit = "haushalte"
kind = "count"

[[indicator]]
code = "alleinerziehende_proz"
title = "Anteil der Alleinerziehenden an den Haushalten mit Kindern (Beispieldaten)"
unit = "%"
kind = "share"
numerator = "alleinerziehende_anz"
denominator = "haushalte_mit_kindern_anz"
factor = 100

[[indicator]]
code = "bev_u18_migrationshintergrund_anz"
title = "Unter 18-Jährige mit Migrationshintergrund (Beispieldaten)"
unit = "personen"
kind = "count"
residents = true

[[indicator]]
code = "bev_u18_migrationshintergrund_proz"
title = "Anteil der unter 18-Jährigen mit Migrationshintergrund (Beispieldaten)"
unit = "%"
kind = "share"
numerator = "bev_u18_migrationshintergrund_anz"
denominator = "bev_u18_anz"
factor = 100

[[standard]]
code = "beispiel-okja-stunden"
title = "Beispiel-Richtwert: Öffnungsstunden der Offenen Kinder- und Jugendarbeit"
category = "okja"
measure = "supply"
value = 12
unit = "hours_per_week"
age_from = 10
age_to = 18
source = "Beispieldaten"
resolution = "Beispiel, kein Beschluss"
resolved_on = 2026-01-01

[[standard]]
code = "beispiel-okja-weg"
title = "Beispiel-Richtwert: Offene Kinder- und Jugendarbeit in 15 Minuten zu Fuß"
category = "okja"
measure = "reach"
value = 0.8
unit = "share"
age_from = 10
age_to = 18
minutes = 15
mode = "walk"
source = "Beispieldaten"
resolution = "Beispiel, kein Beschluss"
resolved_on = 2026-01-01

[[standard]]
code = "beispiel-kita-plaetze"
title = "Beispiel-Richtwert: erreichbare Kitaplätze in 15 Minuten zu Fuß"
category = "kita"
measure = "catchment"
value = 330
unit = "places"
age_from = 3
age_to = 6
minutes = 15
mode = "walk"
source = "Beispieldaten"
resolution = "Beispiel, kein Beschluss"
resolved_on = 2026-01-01
"""
"""The catalogue as its importer reads it (TOML)."""

HELP_CATALOGUE = """\
# Hilfearten der Beispielstadt, ihre Gruppen und eine Kennzahl ihres Haushalts; erfunden, kein Amt zählt so.

[[help_type]]
code = "27.2-flexible-hilfen"
title = "Flexible ambulante Hilfen"
paragraphs = ["27.2"]
groups = ["ambulant", "alle_hilfen"]
unit = "hilfen"

[[help_type]]
code = "27.2-familientherapie"
title = "Aufsuchende Familientherapie"
paragraphs = ["27.2"]
groups = ["ambulant", "alle_hilfen"]
unit = "hilfen"

[[help_type]]
code = "29"
title = "Soziale Gruppenarbeit"
paragraphs = ["29"]
groups = ["ambulant", "alle_hilfen"]
unit = "hilfen"

[[help_type]]
code = "30"
title = "Erziehungsbeistandschaft"
paragraphs = ["30"]
groups = ["ambulant", "alle_hilfen"]
unit = "hilfen"

[[help_type]]
code = "31"
title = "Sozialpädagogische Familienhilfe (SPFH)"
paragraphs = ["31"]
groups = ["ambulant", "alle_hilfen"]
unit = "hilfen"

[[help_type]]
code = "32"
title = "Tagesgruppe"
paragraphs = ["32"]
groups = ["ambulant", "alle_hilfen"]
unit = "hilfen"

[[help_type]]
code = "35-ambulant"
title = "Intensive sozialpädagogische Einzelbetreuung, ambulant"
paragraphs = ["35"]
variant = "ambulant"
groups = ["ambulant", "alle_hilfen"]
unit = "hilfen"

[[help_type]]
code = "33"
title = "Vollzeitpflege"
paragraphs = ["33"]
groups = ["ausserhalb_familie", "alle_hilfen"]
unit = "hilfen"

[[help_type]]
code = "34"
title = "Heimerziehung"
paragraphs = ["34"]
variant = "Wohngruppe"
groups = ["ausserhalb_familie", "alle_hilfen"]
unit = "hilfen"

[[help_type]]
code = "34-betreutes-jugendwohnen"
title = "Betreutes Jugendwohnen"
paragraphs = ["34"]
variant = "betreutes Jugendwohnen"
groups = ["ausserhalb_familie", "alle_hilfen"]
unit = "hilfen"

[[help_type]]
code = "35-stationaer"
title = "Intensive sozialpädagogische Einzelbetreuung, stationär"
paragraphs = ["35"]
variant = "stationär"
groups = ["ausserhalb_familie", "alle_hilfen"]
unit = "hilfen"

[[help_type]]
code = "19"
title = "Gemeinsame Wohnform für Mütter oder Väter und Kinder"
paragraphs = ["19"]
groups = ["ausserhalb_familie", "alle_hilfen"]
unit = "hilfen"

[[help_group]]
code = "ambulant"
title = "Ambulante Hilfen"
composition = "§ 27 Abs. 2 (zwei Hilfearten), §§ 29, 30, 31, 32 und § 35 ambulant."

[[help_group]]
code = "ausserhalb_familie"
title = "Hilfen außerhalb der Familie"
composition = "§ 19, § 33, § 34 (zwei Hilfearten) und § 35 stationär."

[[help_group]]
code = "alle_hilfen"
title = "Hilfen insgesamt"
composition = "Ambulante Hilfen und Hilfen außerhalb der Familie."

[[indicator]]
code = "reduzierter_ausgabenzuwachs_eur"
title = "Verminderter Zuwachs der Ausgaben (Beispieldaten)"
unit = "eur"
kind = "count"
description = "In der Prognose angenommen; im Ist die prognostizierten Ausgaben abzüglich der tatsächlichen."
"""
"""The catalogue of the Hilfearten as its importer reads it (TOML)."""
