"""What time as a value gives: a subject's grades on other days than those that a run speaks about."""
