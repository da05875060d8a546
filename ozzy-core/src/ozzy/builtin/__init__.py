"""The core's own modules, shaped like any plugin: `plugin.py` names them, and a folder a kind holds them, a file a module."""
