"""Outbound requests: the one door, an empty room until outbound requests are enabled."""
