"""The dashboard of a hub for Grafana: `python -m deploy.grafana` makes hubbub.json from what stands here."""
