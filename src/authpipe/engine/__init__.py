"""What happens at a scene: from an event to a verdict."""
