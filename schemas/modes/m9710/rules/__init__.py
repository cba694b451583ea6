"""The rules of 9710, by what they look at: an item, an order, all orders of a run; and what excludes an order."""
