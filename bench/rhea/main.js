#!/usr/bin/env node
'use strict';
// rhea doing the same work as `ferrion-bench messenger-send` and `messenger-recv`, with the same options: one process sends, one
// listens, receives and accepts, and a message counts when its sender has seen it accepted.

const fs = require('fs');
const rhea = require('rhea');

const SLOTS = 64;

function say(fields) {
    fs.writeSync(1, JSON.stringify(fields) + '\n');
}

function fail(why) {
    process.stderr.write('rhea-bench: ' + why + '\n');
    process.exit(1);
}

function parse(args) {
    const options = { count: 100000, warmup: 10000, body: 100, window: 2000, port: 0 };
    for (let i = 0; i + 1 < args.length; i += 2) {
        options[args[i].replace(/^--/, '')] = Number(args[i + 1]);
    }
    options.total = options.warmup + options.count;
    return options;
}

// The bodies of `Ring` in bench/src/work.rs.
function bodies(octets) {
    return Array.from({ length: SLOTS }, (_, slot) => {
        const body = Buffer.alloc(octets);
        body.writeBigUInt64BE(BigInt(slot));
        for (let at = 8; at < octets; at++) body[at] = (slot * 31 + at * 7 + (at >> 8)) & 0xff;
        return body;
    });
}

// `fold` of bench/src/work.rs, on 64 bits in two halves: numbers of arbitrary size would cost more than the messages do.
const sum = { high: 0, low: 0 };

function fold(high, low) {
    const h = ((sum.high << 5 | sum.low >>> 27) ^ high) >>> 0;
    const l = ((sum.low << 5 | sum.high >>> 27) ^ low) >>> 0;
    // Times 0x9e3779b97f4a7c15, the upper half of the lower product by parts of 16 bits.
    const [a, b, c, d] = [l >>> 16, l & 0xffff, 0x7f4a, 0x7c15];
    const low0 = b * d;
    const mid = a * d + (low0 >>> 16);
    const mid1 = b * c + (mid & 0xffff) ;
    const carry = a * c + Math.floor(mid / 65536) + Math.floor(mid1 / 65536);
    sum.low = Math.imul(l, 0x7f4a7c15) >>> 0;
    sum.high = (carry + Math.imul(h, 0x7f4a7c15) + Math.imul(l, 0x9e3779b9)) >>> 0;
}

function foldPayload(body) {
    fold(0, body.length);
    fold(body.readUInt32BE(0), body.readUInt32BE(4));
    const tail = body.length - 8;
    fold(body.readUInt32BE(tail), body.readUInt32BE(tail + 4));
}

function report(options, start) {
    const hex = (half) => half.toString(16).padStart(8, '0');
    say({
        count: options.count,
        nanos: Number(process.hrtime.bigint() - start),
        octets: options.body,
        check: hex(sum.high) + hex(sum.low),
    });
}

function recv(options) {
    const ring = bodies(options.body);
    const container = rhea.create_container();
    let received = 0;
    let start = 0n;
    container.on('message', (context) => {
        const body = context.message.body.content;
        if (received === options.warmup) start = process.hrtime.bigint();
        if (body.length !== options.body) fail('a message did not arrive whole');
        if (received < options.warmup) {
            if (!body.equals(ring[received % SLOTS])) fail('a message did not arrive unchanged');
        } else {
            foldPayload(body);
        }
        received++;
    });
    container.on('connection_close', () => {
        if (received !== options.total) fail(`${received} of ${options.total} messages arrived`);
        report(options, start);
        server.close();
    });
    // It accepts by itself, and gives credit anew for each message.
    const server = container.listen({ port: 0, host: '127.0.0.1', receiver_options: { credit_window: 1000 } });
    server.on('listening', () => say({ port: server.address().port }));
}

function send(options) {
    const ring = bodies(options.body);
    const container = rhea.create_container();
    let sent = 0;
    let confirmed = 0;
    let start = 0n;
    const more = (sender) => {
        const end = confirmed < options.warmup ? options.warmup : options.total;
        while (sent < end && sent - confirmed < options.window && sender.sendable()) {
            sender.send({ body: rhea.message.data_section(ring[sent % SLOTS]) });
            sent++;
        }
    };
    container.on('sendable', (context) => more(context.sender));
    container.on('rejected', () => fail('a message was not accepted'));
    container.on('released', () => fail('a message was not accepted'));
    container.on('accepted', (context) => {
        confirmed++;
        if (confirmed === options.warmup) start = process.hrtime.bigint();
        if (confirmed === options.total) {
            report(options, start);
            context.connection.close();
        } else {
            more(context.sender);
        }
    });
    container.connect({ port: options.port, host: '127.0.0.1', reconnect: false }).open_sender('queue');
}

const [command, ...rest] = process.argv.slice(2);
const works = { 'messenger-recv': recv, 'messenger-send': send };
if (command === 'version') {
    process.stdout.write(require('rhea/package.json').version + '\n');
} else if (works[command]) {
    works[command](parse(rest));
} else {
    fail('usage: main.js version|messenger-send|messenger-recv [--name value ...]');
}
