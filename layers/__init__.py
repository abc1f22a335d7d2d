"""Functions of plain data to Folium maps: no session, no request, no SQL, no settings."""
