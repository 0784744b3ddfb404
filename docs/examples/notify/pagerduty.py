#!/usr/bin/env python3
"""Opens and resolves incidents through the Events API v2 of PagerDuty. Python 3.9 or newer, nothing else.

    command: [/etc/assayer/pagerduty.py, /etc/assayer/secrets/routing-key]

A third word is another address than that of PagerDuty.
"""

import json
import sys
import urllib.request

SEVERITY = {"critical": "critical", "high": "error", "medium": "warning"}
ENDS = ("finding.approved", "finding.resolved", "finding.incident_closed")


def events(notification, routing_key):
    """One event; of a summary also the end of what was told and has ended since."""
    data = notification["data"]
    finding = data.get("finding", {})
    for key in data.get("skipped", {}).get("ended", []):
        yield {"routing_key": routing_key, "event_action": "resolve", "dedup_key": key}
    if notification["type"] in ENDS:
        yield {"routing_key": routing_key, "event_action": "resolve", "dedup_key": data["key"]}
        return
    acknowledged = notification["type"] in ("finding.acknowledged", "finding.waived")
    yield {
        "routing_key": routing_key,
        "event_action": "acknowledge" if acknowledged else "trigger",
        "dedup_key": data.get("key", data["delivery"]),
        "payload": {
            "summary": data["text"][:1024],
            "source": finding.get("device", data["gateway"]),
            "severity": SEVERITY.get(finding.get("severity"), "info"),
            "timestamp": notification["timestamp"],
            "custom_details": data,
        },
    }


with open(sys.argv[1], encoding="ascii") as file:
    key = file.read().strip()
url = sys.argv[2] if len(sys.argv) > 2 else "https://events.pagerduty.com/v2/enqueue"
for event in events(json.load(sys.stdin), key):
    request = urllib.request.Request(
        url, json.dumps(event).encode(), {"content-type": "application/json"}, method="POST"
    )
    # Anything but success is an exception, and thereby an exit code that makes the gateway try again.
    urllib.request.urlopen(request, timeout=10).close()
