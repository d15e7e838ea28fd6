#!/usr/bin/env python
"""Asks for words spelt backwards, and waits for all of it. Written for the Messenger of old."""

from __future__ import print_function

import optparse
import threading
import time

from proton import *

parser = optparse.OptionParser(usage="usage: %prog [options] <word> ...")
parser.add_option("-a", "--address", default="amqp://127.0.0.1", help="where to ask [%default]")
opts, args = parser.parse_args()

mng = Messenger()
mng.timeout = 20
mng.outgoing_window = mng.incoming_window = 100
mng.route("words/*", opts.address + "/$1")
mng.rewrite("words/*", "$1")
mng.start()
print("stopped at first:", mng.stopped)

try:
    mng.get(Message())
except MessengerException:
    print("nothing to get")
try:
    Message().decode(b"this is no message")
except MessageException:
    print("no message")

msg = Message()
trackers = {}
for number, word in enumerate(args):
    msg.clear()
    msg.address = "words/spell"
    msg.subject = u"spell"
    msg.reply_to = "~/replies"
    msg.id = number
    msg.correlation_id = ulong(number)
    msg.priority = Message.DEFAULT_PRIORITY + 1
    msg.durable = True
    msg.ttl = 30
    msg.creation_time = time.time()
    msg.properties = {u"number": number}
    msg.annotations = {symbol("x-opt-by"): u"ask.py"}
    msg.body = {u"word": word}
    trackers[number] = mng.put(msg)

mng.send()
assert mng.outgoing == 0
for number, word in enumerate(args):
    print(word, mng.status(trackers[number]), mng.status(trackers[number]) == ACCEPTED, mng.buffered(trackers[number]))
mng.settle()
print("settled", [bool(mng.status(tracker)) for tracker in trackers.values()])

replies = {}
while len(replies) < len(args):
    mng.recv(len(args) - len(replies))
    while mng.incoming:
        tracker = mng.get(msg)
        replies[msg.correlation_id] = (msg.body, msg.properties)
        mng.accept(tracker)
for number, (body, properties) in sorted(replies.items()):
    print("%d" % number, body, properties)
mng.accept()

mng.timeout = 0.05
try:
    mng.recv(1)
except Timeout:
    print("timeout, receiving", mng.receiving)
mng.timeout = None
timer = threading.Timer(0.1, mng.interrupt)
timer.start()
try:
    mng.recv(1)
except Interrupt:
    print("interrupted")
timer.join()

mng.blocking = False
print("work", mng.work(0.01))
mng.blocking = True
mng.timeout = 20

# The last one, after which the server ends.
msg.clear()
msg.address = "words/sing"
msg.subject = u"sing"
refused = mng.put(msg)
mng.send()
print("sing", mng.status(refused), mng.status(refused) in (PENDING, ACCEPTED, RELEASED, MODIFIED, ABORTED, SETTLED))
mng.settle(refused)
mng.stop()
print("stopped", mng.stopped)
