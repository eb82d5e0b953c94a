# SPDX-License-Identifier: BSD-3-Clause
"""The network: a chain of layers over one flat vector.

``workspace`` has the memory in which it computes.
"""

from sknumpynet.core.network.data_driven import fit_to_data
from sknumpynet.core.network.network import Network
from sknumpynet.core.network.workspace import Workspace

__all__ = ["Network", "Workspace", "fit_to_data"]
