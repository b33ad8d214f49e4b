"""Whether grades foresee what is found later, and whether what they read is still as it was."""
