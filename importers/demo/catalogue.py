"""The demo's catalogue: what its indicators mean, and examples of standards (Richtwerte) that nobody resolved."""

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
