"""The page for those who use no terminal: it gives the commands what was dropped, and shows what they made. No logic of its own."""
