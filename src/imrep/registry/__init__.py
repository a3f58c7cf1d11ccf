"""What there is: names, cards, specs, signatures, operations, citations. Standard library only."""
