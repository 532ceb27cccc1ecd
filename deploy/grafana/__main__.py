"""`python -m deploy.grafana`: writes hubbub.json."""

from deploy.grafana.dashboard import FILE, text

if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
