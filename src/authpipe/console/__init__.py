"""The browser console (empty room): use the CLI or the HTTP API."""
