"""Where the time of an ONNX file goes: ONNX Runtime's profile, by groups of operators."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

GROUPS = {
    "convolutions": "Conv FusedConv NhwcFusedConv QLinearConv ConvInteger ConvTranspose",
    "matrix products": "MatMul FusedMatMul Gemm FusedGemm QGemm QLinearMatMul "
    "MatMulIntegerToFloat DynamicQuantizeMatMul",
    "RoI features": "RoiAlign MaxRoiPool",
    "NMS": "NonMaxSuppression",
    "sorting": "TopK ArgMax Unique NonZero",
    "quantization": "QuantizeLinear DequantizeLinear DynamicQuantizeLinear",
    "resizing": "MatMulInteger Resize Upsample GridSample",  # of photos: exporting/stages/resize.py
    "copies": "Reshape Transpose Slice Gather GatherND GatherElements ScatterND ScatterElements Concat Split "
    "Pad Cast Expand Squeeze Unsqueeze Identity ReorderInput ReorderOutput",
}
"""Names of operators by group. All others calculate single values: sums, products, activations."""

GROUP_OF = {operator: group for group, operators in GROUPS.items() for operator in operators.split()}
OTHERS = "arithmetic and activations"
CONTAINERS = ("If", "Loop", "Scan")  # the operators inside them are in the profile, too


def seconds_by_group(profile: Path) -> dict[str, float]:
    """Seconds per group of operators in a profile that ONNX Runtime has written."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for event in json.loads(profile.read_text(encoding="utf-8")):
        operator = event.get("args", {}).get("op_name")
        if event.get("cat") != "Node" or operator in (None, *CONTAINERS):
            continue
        if event["name"].endswith("_kernel_time"):
            seconds[GROUP_OF.get(operator, OTHERS)] += event["dur"] / 1e6
    return dict(seconds)
