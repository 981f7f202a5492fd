"""Questions that prove themselves: made from clauses, kept, put into papers, sat and learned from."""
