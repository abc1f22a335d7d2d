"""Uploads: a file arrives in the browser, is checked by a rehearsal of its import, and is imported or discarded."""
