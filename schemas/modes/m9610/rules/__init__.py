"""The rules of 9610, by what they look at: a line, an inventory, all inventories of a run; and what excludes an inventory."""
