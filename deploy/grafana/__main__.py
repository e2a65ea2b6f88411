"""python -m deploy.grafana: writes the dashboards as JSON into the chart; with --check says whether they are fresh."""

import sys
from collections.abc import Mapping
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana import commands, fleet, gateway, servers, services, smartcharging
from deploy.grafana.panels import dashboard

FOLDER = Path(__file__).parents[1] / "helm/voltbus/dashboards"
DASHBOARDS = {
    "fleet": fleet,
    "gateway": gateway,
    "services": services,
    "commands": commands,
    "smart-charging": smartcharging,
    "servers": servers,
}


def rendered() -> Mapping[Path, str]:
    """The files as they should be."""
    encoder = JSONEncoder(sort_keys=True, indent=2)
    return {
        FOLDER / f"{name}.json": encoder.encode(dashboard(name, module.TITLE, module.MEANING, module.SECTIONS)) + "\n"
        for name, module in DASHBOARDS.items()
    }


def main() -> None:
    files = rendered()
    there = {path: path.read_text() for path in FOLDER.glob("*.json")}
    if "--check" in sys.argv:
        if there != files:
            sys.exit(f"the dashboards in {FOLDER} are not what deploy/grafana says; run: make monitoring")
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in there.keys() - files.keys():
        path.unlink()
    for path, text in files.items():
        path.write_text(text)


if __name__ == "__main__":
    main()
