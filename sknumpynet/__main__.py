# SPDX-License-Identifier: BSD-3-Clause
"""``python -m sknumpynet``: scikit-learn's networks and ours side by side, on real data."""

import sys

from sknumpynet.comparison.command_line import main

if __name__ == "__main__":
    sys.exit(main())
