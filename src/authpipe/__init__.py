"""Serverless JavaScript pipelines for identity flows, self-hosted."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from authpipe.embed import Pipelines
    from authpipe.model import Effects, Invocation, Outcome, Scene, Verdict

__version__ = "0.1.0"
__all__ = ["Effects", "Invocation", "Outcome", "Pipelines", "Scene", "Verdict", "__version__"]


def __getattr__(name: str) -> Any:
    # Late, so that the launcher process and `authpipe --help` do not pay for the whole server.
    if name == "Pipelines":
        from authpipe.embed import Pipelines

        return Pipelines
    if name in __all__:
        from authpipe import model

        return getattr(model, name)
    raise AttributeError(f"module 'authpipe' has no attribute {name!r}")
