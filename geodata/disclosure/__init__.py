"""Disclosure control: which figures of a published structure are left out so that no child can be singled out.

A numeric kernel without database and service: arrays in, arrays out. :mod:`~geodata.disclosure.cube` makes a table of
what is published of a quarter, :func:`~geodata.disclosure.suppress.protect` chooses what is left out,
:func:`~geodata.disclosure.attacker.audit` checks any choice, :func:`~geodata.disclosure.measures.measures` compares it
with merging states.

What is promised. Every count above 0 and below 3 (a parameter; means of key dates: 0 < value < 3) is left out. From all
that is published, whoever computes with it finds an interval for it that reaches down to 1 or lower and up to 3 or
higher. For an area of fewer than 10 that lies wholly in one category, the sum of the other categories may be 3 or more
in everybody's eyes. That holds for the public and for the planners of every office, who know their own areas exactly,
about all areas that are not their own. About a sum that contains own cases (the Land's) a planner knows that it is not
below these; the interval then reaches as far as it would if nothing were published.

What is not promised. Complementary cells, left out to protect others, may be worked out. Nothing is promised against
several offices that pool what they know, against knowledge about persons that is in none of the tables (a provider
knows the own children), nor against guesses from how likely a table is. An attacker who knows this algorithm and asks
which tables would have led it to just this choice may exclude some; no method of least loss is safe from that. What a
table does not contain (other quarters, other counting, other paragraphs) is independent as long as no published figure
ties it to this one; one that does (a change, a mean, a sum of paragraphs) must be left out with its parts or become a
cell and an equality here.

Sources: M. Fischetti, J. J. Salazar (2001): Solving the cell suppression problem on tabular data with linear
constraints. Management Science 47 (7), 1008-1027. A. Hundepool, J. Domingo-Ferrer, L. Franconi, S. Giessing,
E. Schulte Nordholt, K. Spicer, P.-P. de Wolf (2012): Statistical disclosure control. Wiley, chapter 4.
"""
