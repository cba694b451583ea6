"""Synthetic exports of any size, faults to break them with, and the shapes of real exports."""
