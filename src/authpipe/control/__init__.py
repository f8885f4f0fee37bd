"""What operators change: user pools, keys, functions, environment."""
