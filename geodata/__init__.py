"""The room of meaning: tables, migrations, sessions and the questions of the field. Imports no other room."""
