"""Measures ferrion from Python beside python-qpid-proton: messages that are sent, received and accepted, over loopback, between two
processes. Each round runs every contestant of a row once, and who goes first moves on. `bench/run.sh` runs it.

usage: run.py OUT [--quick] [--rounds N]
"""

import argparse
import datetime
import json
import os
import platform
import select
import statistics
import subprocess
import sys
from pathlib import Path

from work import Checksum

HERE = Path(__file__).resolve().parent
OCTETS = 100
#: How many seconds a sender may take, and a receiver once it has begun, or once all was sent.
PATIENCE = 300
#: Of each row: what it is, how many messages in a full and in a quick run, and its contestants: the name, the receiver, the sender.
ROWS = [
    (
        "many under way",
        (60_000, 8_000),
        {
            "ferrion Messenger": (["ferrion_messenger.py"], ["ferrion_messenger.py", "many"]),
            "ferrion asyncio": (["ferrion_asyncio.py"], ["ferrion_asyncio.py", "send"]),
            "Proton handlers": (["proton_handlers.py"], ["proton_handlers.py", "send"]),
        },
    ),
    (
        "each one waited for",
        (4_000, 800),
        {
            "ferrion Messenger": (["ferrion_messenger.py"], ["ferrion_messenger.py", "one"]),
            "Proton blocking": (["proton_handlers.py"], ["proton_blocking.py", "send"]),
        },
    ),
]


def line(receiving):
    """What a receiver tells next, which must not take for ever: one that misses a message waits for it."""
    if not select.select([receiving.stdout], [], [], PATIENCE)[0]:
        sys.exit(f"{receiving.args} told nothing in {PATIENCE} seconds")
    told = receiving.stdout.readline()
    if not told:
        sys.exit(f"{receiving.args} ended without telling what it received")
    return json.loads(told)


def rate(receiver, sender, count):
    """Messages a second."""
    warm_up = count // 8
    total = warm_up + count
    script, *rest = receiver
    receiving = subprocess.Popen(
        [sys.executable, str(HERE / script), "receive", *rest, str(total)], stdout=subprocess.PIPE, text=True
    )
    try:
        port = line(receiving)["port"]
        script, *rest = sender
        sent = subprocess.run(
            [sys.executable, str(HERE / script), *rest, *map(str, (port, warm_up, count, OCTETS))],
            stdout=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
        told = line(receiving)
    finally:
        receiving.kill()
        receiving.wait()
        receiving.stdout.close()
    if told["checksum"] != Checksum().of_all(total, OCTETS):
        sys.exit(f"{receiver} did not receive what {sender} was to send")
    return count / json.loads(sent.stdout)["seconds"]


def spread(samples):
    """Half the distance between the quartiles, in percent of the median."""
    low, _, high = statistics.quantiles(samples, n=4, method="inclusive")
    return 50 * (high - low) / statistics.median(samples)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int)
    options = parser.parse_args()
    rounds = options.rounds or (3 if options.quick else 9)
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
    print(f"\nPython {platform.python_version()}, {OCTETS} octets, sent, received and accepted; {os.cpu_count()} processors, {date}")
    print(f"load at the beginning {os.getloadavg()[0]:.1f}; medians of {rounds} rounds, and half the distance of the quartiles\n")
    results = []
    for row, counts, contestants in ROWS:
        count = counts[options.quick]
        samples = {name: [] for name in contestants}
        order = list(contestants)
        for _ in range(rounds):
            for name in order:
                samples[name].append(rate(*contestants[name], count))
            order.append(order.pop(0))
        theirs = statistics.median(samples[next(name for name in contestants if name.startswith("Proton"))])
        for name, its in samples.items():
            median = statistics.median(its)
            print(f"{row:22}{name:20}{median:10,.0f} /s  ±{spread(its):4.1f} %{median / theirs:8.1f} x")
            results.append({"row": row, "contestant": name, "count": count, "messages_per_second": its})
    told = {"date": date, "python": platform.python_version(), "machine": platform.machine(), "results": results}
    options.out.write_text(json.dumps(told, indent=1) + "\n")


main()
