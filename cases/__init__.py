"""Cases: written by branches, found by problem, taken over by others, and what came of it."""
