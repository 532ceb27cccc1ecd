"""Workers on Kafka: `hubbub worker`, or `faust -A hub.worker worker`, which finds `app` here.

The application is made when it is asked for, from the settings file that HUBBUB_CONFIG names (else hubbub.yaml).
"""

from typing import Any


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(name)
    from hub.worker.standalone import standalone  # noqa: PLC0415  only Faust's command asks for it

    return standalone()
