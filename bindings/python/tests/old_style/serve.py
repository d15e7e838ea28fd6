#!/usr/bin/env python
"""Spells words backwards for whoever asks, in a select loop of its own. Written for the Messenger of old."""

from __future__ import print_function

import optparse
import select
import time

from proton import *

parser = optparse.OptionParser(usage="usage: %prog [options] <addr> ...")
parser.add_option("-n", "--number", type="int", default=1, help="how many requests to serve [%default]")
opts, args = parser.parse_args()

mng = Messenger("backwards")
mng.passive = True
mng.incoming_window = 64
for address in args or ["amqp://~0.0.0.0"]:
    mng.subscribe(address)
mng.start()

selectables = []


def pump():
    """Waits for the network and lets the messenger do its part."""
    while True:
        sel = mng.selectable()
        if not sel:
            break
        if not sel.registered:
            sel.registered = True
            selectables.append(sel)
    readers, writers, deadline = [], [], mng.deadline
    for sel in selectables[:]:
        if sel.is_terminal:
            selectables.remove(sel)
            sel.registered = False
            sel.release()
            continue
        if sel.reading:
            readers.append(sel)
        if sel.writing:
            writers.append(sel)
        if sel.deadline:
            deadline = min(deadline or sel.deadline, sel.deadline)
    patience = 1.0 if deadline is None else min(max(deadline - time.time(), 0), 1.0)
    readable, writable, _ = select.select(readers, writers, [], patience)
    for sel in readable:
        sel.readable()
    for sel in writable:
        sel.writable()
    for sel in selectables:
        if sel.deadline and sel.deadline <= time.time():
            sel.expired()


request, reply = Message(), Message()
served = 0
mng.recv()
while served < opts.number or mng.outgoing:
    pump()
    while mng.incoming:
        tracker = mng.get(request)
        served += 1
        if request.subject != "spell" or not isinstance(request.body, dict):
            mng.reject(tracker)
            print("rejected", request.subject)
            continue
        mng.accept(tracker)
        reply.clear()
        reply.address = request.reply_to
        reply.correlation_id = request.correlation_id
        reply.properties = {u"served": request.properties[u"number"]}
        reply.body = request.body[u"word"][::-1]
        mng.put(reply)
        print("served", request.body[u"word"])

mng.stop()
while not mng.stopped:
    pump()
print("stopped")
