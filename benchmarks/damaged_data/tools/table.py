"""The programs beside boxmask."""

from __future__ import annotations

from damaged_data.tools import cleanvision_issues, datumaro_validator, hotcoco_health, libreyolo_doctor
from damaged_data.tools.reported import Tool

TOOLS: tuple[Tool, ...] = (libreyolo_doctor, hotcoco_health, datumaro_validator, cleanvision_issues)
