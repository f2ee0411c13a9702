"""Tensors of a function that are others in the program: of a piece of one rank
the whole, of a complex tensor its two parts."""
