"""The embedded identity host (empty room): outside hosts call `POST /api/v1/run`."""
