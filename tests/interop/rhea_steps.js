#!/usr/bin/env node
'use strict';
// A peer made of rhea that does what it is told, step by step. README.md has its steps and its output.

const fs = require('fs');
const rhea = require('rhea');
const notation = require('./rhea_notation.js')(rhea);

const PATTERN = Buffer.from(Array.from({ length: 251 }, (_, i) => i));
const ROUNDS = Buffer.alloc(PATTERN.length * 4200, PATTERN);
const OUTCOMES = ['accepted', 'rejected', 'released', 'modified'];

function say(event, fields) {
    fs.writeSync(1, JSON.stringify(Object.assign({ event }, fields)) + '\n');
}

function parse(args) {
    const options = { role: args.shift(), container: 'rhea-peer', sasl: 'anonymous', open: '{}' };
    while (args.length) options[args.shift().replace(/^--/, '')] = args.shift();
    if (options.role !== 'steps' || !(options.listen || options.connect)) {
        process.stderr.write('usage: rhea_steps.js steps --listen HOST | --connect HOST:PORT [options]\n');
        process.exit(2);
    }
    options.open = JSON.parse(options.open);
    return options;
}

// --- between rhea and the output -----------------------------------------------------------------------------------

// What stands before a data section of so many octets.
function section(size) {
    if (size < 256) return Buffer.from([0x00, 0x53, 0x75, 0xa0, size]);
    const header = Buffer.from([0x00, 0x53, 0x75, 0xb0, 0, 0, 0, 0]);
    header.writeUInt32BE(size, 4);
    return header;
}

function isPattern(octets) {
    for (let at = 0; at < octets.length; at += ROUNDS.length) {
        const piece = octets.subarray(at, at + ROUNDS.length);
        if (piece.compare(ROUNDS, 0, piece.length) !== 0) return false;
    }
    return true;
}

const orDefault = (value, otherwise) => (value === undefined || value === null ? otherwise : value);
const orNull = (value) => (value === undefined ? null : value);
const listOf = (value) => (Array.isArray(value) ? value : value ? [value] : []);
const noteOf = (value) => (value === undefined || value === null ? null : notation.fromNative(value));
// The keys of rhea's maps are the symbols of an object.
const fieldsOf = (note) => note && Object.fromEntries(note[1].map(([key, value]) => [key[1], notation.toTyped(value)]));

function errorOf(endpoint) {
    const error = endpoint.error || {};
    return {
        condition: orNull(error.condition), description: orNull(error.description), info: noteOf(error.info),
    };
}

function conditionOf(step) {
    if (step.condition === undefined) return undefined;
    return { condition: step.condition, description: step.description, info: fieldsOf(step.info) };
}

// rhea makes a value of its own of a terminus that is null.
const isThere = (terminus) => Boolean(terminus && !(terminus.type && terminus.type.name === 'Null'));

function describeTerminus(terminus) {
    if (!isThere(terminus)) return null;
    const capabilities = listOf(terminus.capabilities);
    return {
        address: orNull(terminus.address), dynamic: Boolean(terminus.dynamic),
        node_properties: noteOf(terminus.dynamic_node_properties), filter: noteOf(terminus.filter),
        capabilities: capabilities.length ? ['array', 'symbol', null, capabilities.map((name) => ['symbol', name])] : null,
        distribution: orNull(terminus.distribution_mode), durable: Number(terminus.durable || 0), timeout: Number(terminus.timeout || 0),
    };
}

function terminusOf(wanted) {
    return {
        address: wanted.address, dynamic: wanted.dynamic, dynamic_node_properties: fieldsOf(wanted.node_properties),
        filter: fieldsOf(wanted.filter), distribution_mode: wanted.distribution, durable: wanted.durable,
        timeout: wanted.timeout, capabilities: wanted.capabilities && wanted.capabilities[3].map((name) => name[1]),
    };
}

// --- one connection: nothing happens on it but what a step asks for, and what rhea does by itself ------------------

function serve(options) {
    const wanted = options.open;
    const container = rhea.create_container({ id: options.container });
    let connection;
    let nodes = 0;
    const sessions = [];
    const links = {};
    const deliveries = {};
    const waiting = {};

    // Messages stay as they came.
    rhea.message.decode = (octets) => ({ octets });

    function number(session) {
        if (!sessions.includes(session)) sessions.push(session);
        return sessions.indexOf(session);
    }

    function remember(link) {
        links[link.name] = link;
        deliveries[link.name] = [];
        waiting[link.name] = waiting[link.name] || [];
    }

    function indexOf(delivery) {
        return (deliveries[delivery.link.name] || []).indexOf(delivery);
    }

    // rhea counts credit down only at the end of a turn, so each message gets one of its own.
    function pump(name) {
        const link = links[name];
        if (waiting[name].length && link.sendable()) {
            const { message, settled } = waiting[name].shift();
            const delivery = link.send(message, undefined, 0);
            deliveries[name].push(delivery);
            if (settled) delivery.update(true);
            setImmediate(pump, name);
        } else if (link._draining && link.credit && !waiting[name].length) {
            say('draining', { link: name, credit: link.credit, sent: deliveries[name].length });
            link.set_drained(true);
            link.connection._register();
        }
    }

    const steps = {
        begin() {
            const session = connection.create_session(wanted.buffer);
            number(session);
            session.begin();
        },
        attach(step) {
            const settings = {
                name: step.name, source: terminusOf(step.source || {}), target: terminusOf(step.target || {}),
                snd_settle_mode: step.snd, rcv_settle_mode: step.rcv, max_message_size: step.max_message_size,
                properties: fieldsOf(step.properties), offered_capabilities: step.offered,
                desired_capabilities: step.desired, credit_window: 0, autoaccept: false, autosettle: false,
                treat_modified_as_released: false,
            };
            remember(sessions[step.session || 0]['open_' + step.role](settings));
        },
        credit(step) {
            const link = links[step.link];
            link.add_credit(step.count);
            if (step.drain) link.drain_credit();
        },
        send(step) {
            const bodies = (step.texts || []).map((text) => Buffer.from(text, 'latin1'));
            if (step.size !== undefined) {
                const body = Buffer.alloc(step.size, PATTERN);
                for (let i = 0; i < (step.count || 1); i++) bodies.push(body);
            }
            for (const body of bodies) {
                waiting[step.link].push({ message: Buffer.concat([section(body.length), body]), settled: step.settled });
            }
            pump(step.link);
        },
        disposition(step) {
            const delivery = deliveries[step.link][step.index];
            let state;
            if (step.outcome) {
                const fields = step.condition ? { error: conditionOf(step) } : {};
                state = rhea.message[step.outcome](fields).described();
            }
            delivery.update(Boolean(step.settle), state);
        },
        detach(step) {
            if (step.closed === false) links[step.link].detach();
            else links[step.link].close(conditionOf(step));
        },
        end(step) {
            sessions[step.session || 0].close(conditionOf(step));
        },
        close(step) {
            connection.close(conditionOf(step));
        },
    };

    container.on('connection_open', (context) => {
        connection = context.connection;
        say('open', {
            container: connection.container_id, max_frame: connection.max_frame_size,
            idle: Number(connection.idle_time_out || 0), channel_max: connection.channel_max,
            offered: listOf(connection.offered_capabilities), desired: listOf(connection.desired_capabilities),
            properties: noteOf(connection.properties),
        });
    });
    container.on('session_open', (context) => say('begin', { session: number(context.session) }));

    for (const role of ['receiver', 'sender']) {
        container.on(role + '_open', (context) => {
            const link = context[role];
            const refused = !(link.name in links) && answer(link);
            say('link', {
                link: link.name, role, session: number(link.session), source: describeTerminus(link.source),
                target: describeTerminus(link.target), snd: orDefault(link.snd_settle_mode, 2), rcv: orDefault(link.rcv_settle_mode, 0),
                max_message_size: Number(link.max_message_size || 0), properties: noteOf(link.properties),
                offered: listOf(link.offered_capabilities), desired: listOf(link.desired_capabilities),
            });
            if (refused) link.close({ condition: 'amqp:not-found', description: 'there is no node called nowhere' });
        });
        container.on(role + '_close', (context) => {
            const link = context[role];
            say('detach', Object.assign({ link: link.name, closed: Boolean(link.remote.detach.closed) }, errorOf(link)));
            // The name may be attached again, to a link of its own.
            delete links[link.name];
        });
        container.on(role + '_error', () => {});
    }

    // Answers an attach as it asks: nodes called `nowhere` do not exist, dynamic ones are made.
    function answer(link) {
        remember(link);
        const own = link.is_sender() ? 'source' : 'target';
        const termini = { source: link.source, target: link.target };
        const refused = Boolean(termini[own] && termini[own].address === 'nowhere');
        for (const [name, terminus] of Object.entries(termini)) {
            if (!isThere(terminus) || (refused && name === own)) continue;
            const fields = {};
            for (const field of ['address', 'durable', 'timeout', 'dynamic', 'dynamic_node_properties', 'distribution_mode',
                'filter', 'capabilities']) {
                if (terminus[field] !== undefined && terminus[field] !== null) fields[field] = terminus[field];
            }
            if (name === own && fields.dynamic) fields.address = 'made-' + ++nodes;
            link['set_' + name](fields);
        }
        for (const field of ['snd_settle_mode', 'rcv_settle_mode', 'properties', 'offered_capabilities',
            'desired_capabilities']) {
            if (link[field] !== undefined) link.local.attach[field] = link[field];
        }
        return refused;
    }

    container.on('sendable', (context) => context.sender.name in links && pump(context.sender.name));
    container.on('sender_draining', (context) => pump(context.sender.name));
    container.on('receiver_drained', (context) => {
        const link = context.receiver;
        link.drain = false;
        say('drained', { link: link.name, received: deliveries[link.name].length });
    });
    container.on('message', (context) => {
        const { delivery, message, receiver } = context;
        const body = message.octets.subarray(message.octets[3] === 0xa0 ? 5 : 8);
        deliveries[receiver.name].push(delivery);
        say('message', {
            link: receiver.name, index: indexOf(delivery), settled: delivery.remote_settled, tag: delivery.tag.toString('latin1'),
            length: body.length, pattern: isPattern(body), text: body.length <= 64 ? body.toString('latin1') : null,
        });
    });
    // rhea tells of an outcome first, and of its being settled then.
    for (const outcome of OUTCOMES) {
        container.on(outcome, (context) => {
            const delivery = context.delivery;
            if (!delivery.remote_settled) tell(delivery);
        });
    }
    container.on('settled', (context) => tell(context.delivery));

    function tell(delivery) {
        const state = delivery.remote_state;
        say('update', {
            link: delivery.link.name, index: indexOf(delivery), settled: delivery.remote_settled,
            state: (state && state.constructor.composite_type) || '0',
        });
    }

    container.on('session_error', () => {});
    container.on('session_close', (context) => {
        say('end', Object.assign({ session: number(context.session) }, errorOf(context.session)));
    });
    container.on('connection_error', () => {});
    container.on('connection_close', (context) => say('close', errorOf(context.connection)));
    container.on('protocol_error', (error) => say('transport_error', { condition: null, description: String(error) }));
    container.on('error', (error) => say('transport_error', {
        condition: (error && error.condition) || null, description: String(error && error.stack),
    }));
    container.on('disconnected', () => say('disconnected'));

    const settings = {
        max_frame_size: wanted.max_frame, idle_time_out: wanted.idle, channel_max: wanted.channel_max,
        offered_capabilities: wanted.offered, desired_capabilities: wanted.desired, properties: fieldsOf(wanted.properties),
        session_buffer_size: wanted.buffer, reconnect: false, tcp_no_delay: true,
        // Links that a peer's attach creates take their options from the connection.
        receiver_options: { credit_window: 0, autoaccept: false, autosettle: false },
        sender_options: { treat_modified_as_released: false, autosettle: false },
    };
    for (const name of Object.keys(settings)) if (settings[name] === undefined) delete settings[name];
    if (options.listen) {
        if (options.sasl === 'none') settings.disable_sasl = true;
        const server = container.listen(Object.assign({ host: options.listen, port: 0 }, settings));
        server.on('listening', () => say('ready', { port: server.address().port }));
    } else {
        const [host, port] = options.connect.split(':');
        if (options.sasl === 'anonymous') settings.username = 'anonymous';
        container.connect(Object.assign({ host, port: Number(port) }, settings));
        say('ready');
    }
    return (step) => {
        steps[step.do](step);
        say('did', { step: step.do });
    };
}

function main() {
    const take = serve(parse(process.argv.slice(2)));
    let text = '';
    process.stdin.setEncoding('utf8');
    process.stdin.on('data', (chunk) => {
        const lines = (text + chunk).split('\n');
        text = lines.pop();
        for (const line of lines) if (line) take(JSON.parse(line));
    });
    // Whoever started this program is gone when standard input ends: nothing is left behind then.
    process.stdin.on('end', () => process.exit(0));
}

main();
