"""How the tables came to be, step by step; run by ``Store`` whenever it opens a database."""
