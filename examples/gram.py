"""The Gram matrix of a big array, part by part: plain NumPy on views, then the same in worker processes."""

import numpy as np
from numpy.typing import NDArray

from lepton_stream import Lepton


def product(subset: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of the columns of a part with each other."""
    return subset.T @ subset


if __name__ == "__main__":
    lepton = Lepton()
    x = np.random.default_rng(7).normal(size=(100_000, 100))

    parts = lepton.data_partition(x, num_partitions=10)
    results = [subset.T.dot(subset) for subset in parts]
    print("plain NumPy, merged:", np.allclose(lepton.merge(results), x.T @ x))

    print("worker processes:", np.allclose(lepton.merge(lepton.map(product, parts)), x.T @ x))
    print("correlation:", np.allclose(lepton.correlation(x), np.corrcoef(x, rowvar=False), atol=1e-9))
