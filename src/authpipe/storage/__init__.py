"""Rows: tables, migrations, encryption, one class a noun."""
