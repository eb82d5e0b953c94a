# SPDX-License-Identifier: BSD-3-Clause
"""Export of fitted networks, for use in other processes and programs."""

from sknumpynet.export.files import load, save
from sknumpynet.export.folder import to_folder
from sknumpynet.export.onnx import register_onnx, to_onnx
from sknumpynet.export.skops import skops_trusted_types

__all__ = ["load", "register_onnx", "save", "skops_trusted_types", "to_folder", "to_onnx"]
