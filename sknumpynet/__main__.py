# SPDX-License-Identifier: BSD-3-Clause
"""``python -m sknumpynet``: compare scikit-learn's networks with ours on real data.

``python -m sknumpynet export MODEL --to FOLDER`` exports a network, and ``python -m sknumpynet learn`` is a
guided tour of one training step.
"""

import os
import sys

if __name__ == "__main__":
    if sys.argv[1:2] == ["export"]:
        from sknumpynet.export.command_line import main
    elif sys.argv[1:2] == ["learn"]:
        from sknumpynet.learn import main
    else:
        from sknumpynet.comparison.command_line import main
    try:
        status = main()
        if sys.stdout is not None:  # None where it was closed, as by `>&-`
            sys.stdout.flush()
    except BrokenPipeError:  # the reader has gone, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    sys.exit(status)
