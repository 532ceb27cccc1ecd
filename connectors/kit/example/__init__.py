"""A channel to begin with. Replace this line by what it is, and whose documentation it follows."""
