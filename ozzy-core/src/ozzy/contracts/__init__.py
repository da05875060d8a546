"""The base class of each kind of module: what an author must write, what an author may, and what ozzy does with it."""
