"""Windows over the window: plain data in, signals out. They open, store and compute nothing."""
