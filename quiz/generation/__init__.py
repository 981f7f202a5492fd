"""Makes questions from clauses: statements, the places in them that can be asked, options, gates, rank."""
