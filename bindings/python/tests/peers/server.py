"""asyncio as a server for other libraries, over real sockets: `ffi/tests/abi/asyncio.rs` starts it, and them.

In the folder above: python -m peers.server LOGIN          # a user and a password that are let in, as a JSON object

With FERRION_PEERS, a JSON object that names the files of an authority and of a server's certificate, it wants TLS, and a certificate
of its clients. It says its port, then of each link a line, and ends with its standard input.
"""

import asyncio
import json
import os
import ssl
import sys

from ferrion import Message
from ferrion.asyncio import Receiver, serve
from ferrion.engine import Config, SaslKind, ScramKeys

LOGIN = json.loads(sys.argv[1])
WHERE = json.loads(os.environ.get("FERRION_PEERS", "null"))
KEYS = {name: ScramKeys.derive(name, LOGIN["password"]) for name in ("SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512")}


def say(**what):
    print(json.dumps(what), flush=True)


def config():
    its = Config("asyncio", hostname="here")
    for mechanism in (*KEYS, "PLAIN"):
        its.offer(mechanism)
    its.offer_scram("a secret of this server's")
    return its


def authenticate(request):
    known = request.user == LOGIN["user"]
    if request.kind is SaslKind.SCRAM and known:
        request.answer_scram(KEYS[request.mechanism])
    elif request.kind is SaslKind.PLAIN and known and request.secret == LOGIN["password"].encode():
        request.accept()
    else:
        request.reject()


async def on_link(link):
    certificate = link.connection.peer_certificate
    say(
        link=link.name,
        address=link.address,
        user=link.connection.user,
        mechanism=link.connection.engine.sasl_mechanism,
        certificate=certificate and dict(one for (one,) in certificate["subject"])["commonName"],
    )
    if isinstance(link, Receiver):
        link.accept(credit=2)
        decide = [
            lambda it: it.accept(),
            lambda it: it.reject("test:refused", "the server refuses this one"),
            lambda it: it.release(),
            lambda it: it.modify(True, True, {"x-opt-why": "not here"}),
        ]
        number = 0
        async for delivery in link:
            say(body=delivery.message.body.hex())
            decide[number % 4](delivery)
            number += 1
    else:
        link.accept()
        for outcome in asyncio.as_completed([link.send(Message(body=bytes([n]))) for n in range(4)]):
            say(outcome=type(await outcome).__name__)
        await link.closed()


async def main():
    context = None
    if WHERE:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=WHERE["authority"])
        context.load_cert_chain(WHERE["server"]["certificate"], WHERE["server"]["key"])
        context.verify_mode = ssl.CERT_REQUIRED
    async with await serve(on_link, "127.0.0.1", 0, config, authenticate=authenticate, ssl=context) as server:
        say(port=server.port)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
