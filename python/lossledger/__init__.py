"""Records PyTorch training for Lossledger (`lca measure`), exports models for it, and serves losses to it."""

from .export import export
from .objective import serve
from .recorder import Recorder
from .recording import load

__all__ = ["Recorder", "export", "load", "serve"]
__version__ = "0.1.0"
