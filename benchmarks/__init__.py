"""What landing and nights cost: `make bench`."""
