"""Data sets, the order in which they are read, and batches of them, with PyTorch's names."""

from typing import NoReturn

from fastgrad._suggest import suggest
from fastgrad.utils.data.collate import default_collate, default_convert
from fastgrad.utils.data.dataset import Dataset, Subset, TensorDataset, random_split
from fastgrad.utils.data.loader import DataLoader
from fastgrad.utils.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler

__all__ = [
    "BatchSampler",
    "DataLoader",
    "Dataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "Subset",
    "TensorDataset",
    "default_collate",
    "default_convert",
    "random_split",
]


def __getattr__(name: str) -> NoReturn:
    raise suggest(__name__, name, __all__)
