"""The worker processes: spawning, locking down, talking to and sharing them out."""
