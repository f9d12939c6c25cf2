"""The viewer: everything an endoscopist touches, above the engine `mtl_core`."""

from mtl_core import __version__ as __version__
