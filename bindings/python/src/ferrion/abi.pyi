# SWIG makes this module of the C header, with the same names; the package is what has types.
from typing import Any

def __getattr__(name: str) -> Any: ...
