"""Reports to take along: what is in one (``report``), and how it is written (``xlsx``, ``pdf``)."""
