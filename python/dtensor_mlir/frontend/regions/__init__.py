"""Functions between `to_local` and `from_local`."""
