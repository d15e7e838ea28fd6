#!/usr/bin/env node
'use strict';
// A peer made of rhea, for the interoperability tests. README.md has its commands and its output.

const fs = require('fs');
const rhea = require('rhea');
const notation = require('./rhea_notation.js')(rhea);

const PATTERN = Buffer.from(Array.from({ length: 251 }, (_, i) => i));
const ROLES = ['sink', 'source', 'echo'];
const FLAGS = ['digest', 'settled', 'bare-attach'];

function say(event, fields) {
    fs.writeSync(1, JSON.stringify(Object.assign({ event }, fields)) + '\n');
}

function parse(args) {
    const options = {
        role: args.shift(), address: 'test', reply: 'reply', container: 'rhea-peer', sasl: 'anonymous', user: '',
        password: '', api: 'typed', count: 0, outcomes: 'accept', credit: 100, 'max-frame': 0,
    };
    while (args.length) {
        const name = args.shift().replace(/^--/, '');
        options[name] = FLAGS.includes(name) ? true : args.shift();
    }
    if (!ROLES.includes(options.role) || !(options.listen || options.connect)) {
        process.stderr.write('usage: rhea_peer.js sink|source|echo --listen HOST | --connect HOST:PORT [options]\n');
        process.exit(2);
    }
    options.outcomes = options.outcomes.split(',');
    options.count = Number(options.count);
    return options;
}

// --- messages as an application sees and fills them --------------------------------------------------------------

const OWN_TYPES = {
    durable: 'boolean', priority: 'ubyte', ttl: 'uint', first_acquirer: 'boolean', delivery_count: 'uint',
    user_id: 'binary', to: 'string', subject: 'string', reply_to: 'string', content_type: 'symbol',
    content_encoding: 'symbol', absolute_expiry_time: 'timestamp', creation_time: 'timestamp', group_id: 'string',
    group_sequence: 'uint', reply_to_group_id: 'string',
};

function describeField(name, value) {
    if (name === 'message_id' || name === 'correlation_id') {
        return notation.fromTyped(rhea.types.wrap_message_id(value));
    }
    return notation.fromTyped(rhea.types['wrap_' + OWN_TYPES[name]](value));
}

function describe(message, digests) {
    const described = { header: {}, properties: {} };
    for (const [section, fields] of [['header', notation.HEADER_FIELDS], ['properties', notation.PROPERTY_FIELDS]]) {
        for (const name of fields) {
            if (message[name] !== undefined) described[section][name] = describeField(name, message[name]);
        }
    }
    for (const name of ['delivery_annotations', 'message_annotations', 'application_properties', 'footer']) {
        if (message[name] !== undefined) described[name] = notation.fromNative(message[name]);
    }
    const body = message.body;
    if (body && body.collect_sections) {
        const parts = body.multiple ? body.content : [body.content];
        if (body.typecode === 0x75) {
            described.body = digests ? ['octets', parts.map(notation.digest)]
                : ['data', parts.map((part) => part.toString('hex'))];
        } else {
            described.body = ['sequence', parts.map((part) => part.map(notation.fromNative))];
        }
    } else {
        described.body = ['value', notation.fromNative(body)];
    }
    return described;
}

function compose(described) {
    const message = {};
    for (const section of ['header', 'properties']) {
        for (const [name, note] of Object.entries(described[section] || {})) {
            const typed = notation.toTyped(note);
            message[name] = name === 'message_id' || name === 'correlation_id' ? typed : typed.value;
        }
    }
    for (const name of ['delivery_annotations', 'message_annotations', 'application_properties', 'footer']) {
        if (described[name] === undefined) continue;
        message[name] = {};
        for (const [key, value] of described[name][1]) message[name][key[1]] = notation.toTyped(value);
    }
    const [kind, content] = described.body;
    if (kind === 'value') message.body = notation.toTyped(content);
    else if (kind === 'data') message.body = rhea.message.data_sections(content.map((part) => Buffer.from(part, 'hex')));
    else message.body = rhea.message.sequence_sections(content.map((part) => part.map(notation.toTyped)));
    return message;
}

// --- the three roles -----------------------------------------------------------------------------------------------

function serve(options, messages) {
    const container = rhea.create_container({ id: options.container });
    const waiting = messages;
    const sent = new Map();
    const senders = [];
    let nextIndex = 0;
    let received = 0;
    let settled = 0;
    let finished = false;
    let opened = false;

    // The message as it came, kept beside rhea's reading of it.
    const decode = rhea.message.decode;
    rhea.message.decode = function (octets) {
        let message;
        try {
            message = decode(octets);
        } catch (error) {
            message = { failure: error };
        }
        Object.defineProperty(message, 'octets', { value: octets });
        return message;
    };

    function finish(connection) {
        if (finished) return;
        finished = true;
        say('done', { received, settled });
        if (options.connect) connection.close();
    }

    function pump() {
        for (const sender of senders) {
            while (waiting.length && sender.sendable()) {
                const { message, incoming } = waiting.shift();
                const delivery = Buffer.isBuffer(message) ? sender.send(message, undefined, 0) : sender.send(message);
                sent.set(delivery, { index: nextIndex++, incoming });
                if (options.settled) {
                    delivery.update(true);
                    countSettled(delivery, sender.connection);
                }
            }
        }
    }

    function countSettled(delivery, connection) {
        sent.delete(delivery);
        settled++;
        if (options.role === 'source' && !waiting.length && !sent.size) finish(connection);
    }

    // rhea merges the dispositions that one turn of its loop brings about, the second of them whatever its outcome is:
    // two different ones need two turns.
    const undecided = [];
    function decideNext() {
        const { delivery, index } = undecided[0];
        decide(delivery, index);
        setImmediate(() => {
            undecided.shift();
            if (undecided.length) decideNext();
            else if (options.role === 'sink' && received === options.count) finish(delivery.link.connection);
        });
    }

    function decide(delivery, index) {
        const outcome = options.outcomes[Math.min(index, options.outcomes.length - 1)];
        if (outcome === 'reject') {
            delivery.reject({ condition: 'test:refused', description: 'the sink refuses this one' });
        } else if (outcome === 'release') {
            delivery.release();
        } else if (outcome === 'modify') {
            delivery.modified({
                delivery_failed: true, undeliverable_here: true, message_annotations: { 'x-test-reason': 'not here' },
            });
        } else if (outcome === 'settle') {
            delivery.update(true);
        } else if (outcome !== 'none') {
            delivery.accept();
        }
    }

    function outcomeOf(delivery) {
        const state = delivery.remote_state;
        const outcome = { state: (state && state.constructor.composite_type) || '0', settled: delivery.remote_settled };
        if (outcome.state === 'rejected' && state.error) {
            outcome.condition = state.error.condition;
            outcome.description = state.error.description;
        }
        if (outcome.state === 'modified') {
            outcome.failed = Boolean(state.delivery_failed);
            outcome.undeliverable = Boolean(state.undeliverable_here);
            if (state.message_annotations) outcome.annotations = notation.fromNative(state.message_annotations);
        }
        return outcome;
    }

    container.on('connection_open', (context) => {
        opened = true;
        const connection = context.connection;
        const fields = { container: connection.container_id };
        if (options.sasl !== 'none') {
            const sasl = connection.sasl_transport.selected || connection.sasl_transport;
            const plain = sasl.mechanism && sasl.mechanism.constructor.name.startsWith('Plain');
            fields.mechanism = sasl.mechanism_name || (plain ? 'PLAIN' : sasl.mechanism ? 'ANONYMOUS' : null);
            fields.user = sasl.username || (sasl.mechanism && sasl.mechanism.username) || null;
        }
        say('open', fields);
        if (!options.connect) return;
        if (options.role !== 'source') {
            connection.open_receiver({ source: options.address, credit_window: 0, autoaccept: false });
        }
        if (options.role !== 'sink') {
            connection.open_sender({ target: options.role === 'echo' ? options.reply : options.address });
        }
    });
    for (const name of ['receiver_open', 'sender_open']) {
        container.on(name, (context) => {
            const link = context.receiver || context.sender;
            const address = (terminus) => (terminus && terminus.address !== undefined ? terminus.address : null);
            say('link', {
                role: name.replace('_open', ''), name: link.name, source: address(link.source), target: address(link.target),
            });
            // rhea leaves both termini out of the attach that answers a peer's, unless the application sets them.
            if (!link.local.attach.source && !link.local.attach.target && !options['bare-attach']) {
                link.set_source({ address: address(link.source) });
                link.set_target({ address: address(link.target) });
            }
            if (link.is_receiver()) {
                if (options.role !== 'source') link.add_credit(Number(options.credit));
            } else {
                senders.push(link);
            }
        });
    }
    for (const name of ['receiver_error', 'sender_error']) {
        container.on(name, (context) => {
            const error = (context.receiver || context.sender).error;
            say('link_error', { condition: error.condition, description: error.description });
        });
    }
    container.on('sendable', pump);
    container.on('message', (context) => {
        const { delivery, message, receiver } = context;
        const index = received++;
        let described;
        let again;
        try {
            if (message.failure) throw message.failure;
            if (options.api === 'typed') {
                described = notation.sectionsFromBytes(message.octets, options.digest);
                if (options.role === 'echo') {
                    again = options.digest ? message.octets : notation.sectionsToBytes(described);
                }
            } else {
                described = describe(message, options.digest);
                again = rhea.message.encode(message);
            }
        } catch (error) {
            described = undefined;
            say('refused', { index, error: String(error) });
            delivery.reject({ condition: 'amqp:decode-error', description: String(error) });
        }
        receiver.add_credit(1);
        if (described) {
            say('message', { index, settled: delivery.remote_settled, message: described });
            if (options.role === 'echo') {
                waiting.push({ message: again, incoming: delivery });
                pump();
            } else {
                undecided.push({ delivery, index });
                if (undecided.length === 1) decideNext();
            }
        }
    });
    container.on('settled', (context) => {
        const delivery = context.delivery;
        const entry = sent.get(delivery);
        if (!entry) return;
        // An echo answers with the fate of what it sent back, so the first sender learns the end of the story.
        if (entry.incoming) entry.incoming.update(true, delivery.remote_state && delivery.remote_state.described());
        say('outcome', Object.assign({ index: entry.index }, outcomeOf(delivery)));
        countSettled(delivery, context.connection);
    });
    container.on('connection_close', (context) => {
        const error = context.error || context.connection.error;
        say('close', { condition: error ? error.condition : null, description: error ? error.description : null });
    });
    container.on('connection_error', () => {});
    container.on('protocol_error', (error) => say('transport_error', { condition: null, description: String(error) }));
    container.on('error', (error) => say('transport_error', {
        condition: (error && error.condition) || null, description: String(error),
    }));
    container.on('disconnected', () => {
        say('disconnected');
        if (options.connect) process.exit(opened ? 0 : 1);
    });

    const settings = {};
    if (options['max-frame']) settings.max_frame_size = Number(options['max-frame']);
    // Receivers that a peer's attach creates take their options from the connection.
    settings.receiver_options = { credit_window: 0, autoaccept: false };
    settings.sender_options = { treat_modified_as_released: false };
    if (options.sasl === 'plain') {
        settings.username = options.user;
        settings.password = options.password;
    } else if (options.sasl === 'xoauth2') {
        settings.username = options.user;
        settings.token = 'token.of.rhea';
    } else if (options.sasl === 'anonymous') {
        settings.username = 'anonymous';
    }
    if (options.listen) {
        delete settings.username;
        delete settings.password;
        if (options.sasl === 'plain') {
            container.sasl_server_mechanisms.enable_plain(
                (user, password) => user === options.user && password === options.password);
        } else if (options.sasl === 'none') {
            settings.disable_sasl = true;
        }
        const server = container.listen(Object.assign({ host: options.listen, port: 0 }, settings));
        server.on('listening', () => say('ready', { port: server.address().port }));
    } else {
        if (options.ca) {
            const [ca, cert, key] = [options.ca, options.certificate, options.key].map((file) => fs.readFileSync(file));
            Object.assign(settings, { transport: 'tls', ca, cert, key });
        }
        const [host, port] = options.connect.split(':');
        container.connect(Object.assign({ host, port: Number(port), reconnect: false }, settings));
        say('ready');
    }
}

// What a source is to send: bodies of a size, or a message in notation a line up to an empty line.
function outgoing(options, lines) {
    if (options.size !== undefined) {
        const body = Buffer.alloc(Number(options.size), PATTERN);
        return Array.from({ length: options.count }, () => ({ message: { body: rhea.message.data_section(body) } }));
    }
    const messages = [];
    lines.forEach((line, index) => {
        try {
            const described = JSON.parse(line);
            const message = options.api === 'typed' ? notation.sectionsToBytes(described) : compose(described);
            if (options.api !== 'typed') rhea.message.encode(message);
            messages.push({ message });
        } catch (error) {
            say('unsendable', { index, error: String(error) });
        }
    });
    return messages;
}

function main() {
    const options = parse(process.argv.slice(2));
    let text = '';
    let started = false;
    const start = () => {
        started = true;
        serve(options, options.role === 'source' ? outgoing(options, text.split('\n').slice(0, -2)) : []);
    };
    process.stdin.setEncoding('utf8');
    process.stdin.on('data', (chunk) => {
        if (started) return;
        text += chunk;
        if (text.endsWith('\n\n') || text === '\n') start();
    });
    // Whoever started this program is gone when standard input ends: nothing is left behind then.
    process.stdin.on('end', () => process.exit(0));
    if (options.role !== 'source' || options.size !== undefined) start();
}

main();
