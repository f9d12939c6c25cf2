"""The engine: pictures in, calibrated Mayo endoscopic scores out. Knows no window and no file format."""

__version__ = "0.1.0"
