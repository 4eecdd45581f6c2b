"""A comparison as people read it: in words, as rows of a table, as a page."""
