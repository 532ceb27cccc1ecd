"""The dashboard in Grafana's own form (dashboard JSON model, schema version 41)."""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from deploy.grafana.panels import ROWS, Panel

FILE = Path(__file__).with_name("hubbub.json")
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24
LOW, HIGH = 4, 8
GREEN, RED = "green", "red"


def dashboard() -> dict[str, Any]:
    return {
        "uid": "hubbub",
        "title": "Hubbub",
        "description": "One hub, embedded or on Kafka and MongoDB. Made by `python -m deploy.grafana`.",
        "tags": ["hubbub"],
        "schemaVersion": 41,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "templating": {
            "list": [
                {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
            ]
        },
        "annotations": {"list": []},
        "panels": list(_panels()),
    }


def text() -> str:
    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


def _panels() -> Iterator[dict[str, Any]]:
    ids, top = count(1), 0
    for row in ROWS:
        yield {
            "id": next(ids),
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "gridPos": {"x": 0, "y": top, "w": WIDTH, "h": 1},
            "panels": [],
        }
        top += 1
        across = 6 if row.panels[0].one else 3
        height, width = (LOW, WIDTH // 6) if row.panels[0].one else (HIGH, WIDTH // 3)
        for index, panel in enumerate(row.panels):
            place = {
                "x": index % across * width,
                "y": top + index // across * height,
                "w": width,
                "h": height,
            }
            yield {"id": next(ids), "gridPos": place, **_panel(panel)}
        top += -(-len(row.panels) // across) * height


def _panel(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": GREEN, "value": None}]
    if panel.red_from is not None:
        steps.append({"color": RED, "value": panel.red_from})
    defaults = {
        "unit": panel.unit,
        "min": 0,
        "thresholds": {"mode": "absolute", "steps": steps},
        "color": {"mode": "thresholds" if panel.one else "palette-classic"},
    }
    number = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value",
    }
    graph = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return {
        "type": "stat" if panel.one else "timeseries",
        "title": panel.title,
        "description": panel.says,
        "datasource": SOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": number if panel.one else graph,
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": SOURCE,
                "expr": series.query,
                "legendFormat": series.legend,
                "range": not panel.one,
                "instant": panel.one,
            }
            for index, series in enumerate(panel.series)
        ],
    }
