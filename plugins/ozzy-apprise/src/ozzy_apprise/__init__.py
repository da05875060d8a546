"""A bridge from ozzy to Apprise, which knows how to reach chat rooms and phones."""
