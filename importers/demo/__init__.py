"""The demo city: real names and counts of Hamburg's areas, invented borders, ages, ways, figures and facilities.

It is a source like any other: `files.write` puts it into files that the ordinary importers read.
Everything invented is named "Beispiel". The same code gives the same city every time.
"""
