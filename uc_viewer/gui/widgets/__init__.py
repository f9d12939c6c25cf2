"""Widgets that show values: plain data in, signals out. They open, store and compute nothing."""
