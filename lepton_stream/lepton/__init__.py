"""The batch face: arrays at hand, cut into views, worked on in processes, merged."""

from lepton_stream.kernels.gram import Gram, gram
from lepton_stream.lepton.kernel_runs import Partial
from lepton_stream.lepton.lepton import Lepton
from lepton_stream.lepton.pool import PartError

__all__ = ["Gram", "Lepton", "PartError", "Partial", "gram"]
