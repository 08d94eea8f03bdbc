"""Shapes that deform into less symmetric ones, learned by a network of e3nn."""

from sympe.tasks.shapes.config import FOR_ONE_SHAPE, METHODS, TASK, Config, make_config, methods
from sympe.tasks.shapes.data import DATA, Shape, load_shapes, make_shape
from sympe.tasks.shapes.model import build_network
from sympe.tasks.shapes.run import displace, evaluate, nearest_target, run

__all__ = [
    "DATA",
    "FOR_ONE_SHAPE",
    "METHODS",
    "TASK",
    "Config",
    "Shape",
    "build_network",
    "displace",
    "evaluate",
    "load_shapes",
    "make_config",
    "make_shape",
    "methods",
    "nearest_target",
    "run",
]
