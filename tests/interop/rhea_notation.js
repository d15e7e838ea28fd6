'use strict';
// The typed notation in which the peer programs print and read AMQP values (see README.md), for rhea:
//
// * fromTyped / toTyped: rhea's own tree of typed values, which `types.Reader` makes and `types.Writer` takes;
// * fromNative: the JavaScript values that an application finds in a message, as rhea would send them again;
// * sectionsFromBytes / sectionsToBytes: a whole encoded message, section by section, through Reader and Writer.

const zlib = require('zlib');

// CRC-32 as zlib has it; Node.js only offers it from 20.15 on.
const crc32 = zlib.crc32 || (() => {
    const table = Uint32Array.from({ length: 256 }, (_, octet) => {
        for (let bit = 0; bit < 8; bit++) {
            octet = octet & 1 ? (octet >>> 1) ^ 0xedb88320 : octet >>> 1;
        }
        return octet;
    });
    return (octets) => {
        let crc = 0xffffffff;
        for (const octet of octets) {
            crc = table[(crc ^ octet) & 0xff] ^ (crc >>> 8);
        }
        return (crc ^ 0xffffffff) >>> 0;
    };
})();

const HEADER_FIELDS = ['durable', 'priority', 'ttl', 'first_acquirer', 'delivery_count'];
const PROPERTY_FIELDS = [
    'message_id', 'user_id', 'to', 'subject', 'reply_to', 'correlation_id', 'content_type', 'content_encoding',
    'absolute_expiry_time', 'creation_time', 'group_id', 'group_sequence', 'reply_to_group_id',
];
const SECTIONS = {
    0x70: 'header', 0x71: 'delivery_annotations', 0x72: 'message_annotations', 0x73: 'properties',
    0x74: 'application_properties', 0x75: 'data', 0x76: 'sequence', 0x77: 'value', 0x78: 'footer',
};
const CODES = Object.fromEntries(Object.entries(SECTIONS).map(([code, name]) => [name, Number(code)]));

// format code -> name in the notation
const NAMES = {
    0x40: 'null', 0x41: 'boolean', 0x42: 'boolean', 0x56: 'boolean', 0x50: 'ubyte', 0x60: 'ushort', 0x43: 'uint',
    0x52: 'uint', 0x70: 'uint', 0x44: 'ulong', 0x53: 'ulong', 0x80: 'ulong', 0x51: 'byte', 0x61: 'short', 0x54: 'int',
    0x71: 'int', 0x55: 'long', 0x81: 'long', 0x72: 'float', 0x82: 'double', 0x74: 'decimal32', 0x84: 'decimal64',
    0x94: 'decimal128', 0x73: 'char', 0x83: 'timestamp', 0x98: 'uuid', 0xa0: 'binary', 0xb0: 'binary', 0xa1: 'string',
    0xb1: 'string', 0xa3: 'symbol', 0xb3: 'symbol', 0x45: 'list', 0xc0: 'list', 0xd0: 'list', 0xc1: 'map', 0xd1: 'map',
    0xe0: 'array', 0xf0: 'array',
};
// the widest code of each type: what the elements of an array are written with
const ARRAY_CODES = {
    null: 0x40, boolean: 0x56, ubyte: 0x50, ushort: 0x60, uint: 0x70, ulong: 0x80, byte: 0x51, short: 0x61, int: 0x71,
    long: 0x81, float: 0x72, double: 0x82, decimal32: 0x74, decimal64: 0x84, decimal128: 0x94, char: 0x73,
    timestamp: 0x83, uuid: 0x98, binary: 0xb0, string: 0xb1, symbol: 0xb3, list: 0xd0, map: 0xd1, array: 0xf0,
};

function hexOf(write, octets) {
    const buffer = Buffer.alloc(octets);
    write(buffer);
    return buffer.toString('hex');
}

function big(value, signed) {
    if (Buffer.isBuffer(value)) {
        return (signed ? value.readBigInt64BE(0) : value.readBigUInt64BE(0)).toString();
    }
    return BigInt(value).toString();
}

function dashed(hex) {
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function scalarText(kind, value) {
    switch (kind) {
    case 'boolean': return Boolean(value);
    case 'float': return hexOf((b) => b.writeFloatBE(value), 4);
    case 'double': return hexOf((b) => b.writeDoubleBE(value), 8);
    case 'decimal32': case 'decimal64': case 'decimal128': case 'binary': return value.toString('hex');
    case 'char': return Number(value).toString(16);
    case 'uuid': return dashed(value.toString('hex'));
    case 'string': case 'symbol': return value;
    case 'timestamp': return value instanceof Date ? String(value.getTime()) : big(value, true);
    case 'long': return big(value, true);
    case 'ulong': return big(value, false);
    default: return String(value);
    }
}

function integer(text, signed) {
    const exact = BigInt(text);
    if (exact >= BigInt(Number.MIN_SAFE_INTEGER) && exact <= BigInt(Number.MAX_SAFE_INTEGER)) {
        return Number(exact);
    }
    const buffer = Buffer.alloc(8);
    if (signed) buffer.writeBigInt64BE(exact);
    else buffer.writeBigUInt64BE(exact);
    return buffer;
}

function scalarValue(kind, text) {
    switch (kind) {
    case 'boolean': case 'string': case 'symbol': return text;
    case 'float': return Buffer.from(text, 'hex').readFloatBE(0);
    case 'double': return Buffer.from(text, 'hex').readDoubleBE(0);
    case 'decimal32': case 'decimal64': case 'decimal128': case 'binary': return Buffer.from(text, 'hex');
    case 'char': return parseInt(text, 16);
    case 'uuid': return Buffer.from(text.replace(/-/g, ''), 'hex');
    case 'long': case 'timestamp': return integer(text, true);
    case 'ulong': return integer(text, false);
    default: return Number(text);
    }
}

module.exports = function (rhea) {
    const types = rhea.types;

    // --- rhea's typed values ------------------------------------------------------------------------------------

    function fromTyped(typed) {
        if (typed.descriptor) {
            const bare = Object.assign(Object.create(Object.getPrototypeOf(typed)), typed);
            delete bare.descriptor;
            return ['described', fromTyped(typed.descriptor), fromTyped(bare)];
        }
        const kind = NAMES[typed.type.typecode];
        switch (kind) {
        case 'null': return ['null'];
        case 'list': return ['list', typed.value.map(fromTyped)];
        case 'map': {
            const pairs = [];
            for (let i = 0; i + 1 < typed.value.length; i += 2) {
                pairs.push([fromTyped(typed.value[i]), fromTyped(typed.value[i + 1])]);
            }
            return ['map', pairs];
        }
        case 'array': {
            const { typecode, descriptor } = typed.array_constructor;
            const items = typed.value.map((item) => fromTyped(item));
            return ['array', NAMES[typecode], descriptor ? fromTyped(descriptor) : null, items];
        }
        default: return [kind, scalarText(kind, typed.value)];
        }
    }

    function toTyped(note) {
        const kind = note[0];
        switch (kind) {
        case 'null': return types.Null();
        case 'described': return types.described(toTyped(note[1]), toTyped(note[2]));
        case 'list': return note[1].length ? types.List32(note[1].map(toTyped)) : types.List0();
        case 'map': return types.Map32(note[1].flat().map(toTyped));
        case 'array': {
            const descriptor = note[2] === null ? undefined : toTyped(note[2]);
            return types.Array32(note[3].map(toElement), ARRAY_CODES[note[1]], descriptor);
        }
        case 'decimal32': return types.Decimal32(scalarValue(kind, note[1]));
        case 'decimal64': return types.Decimal64(scalarValue(kind, note[1]));
        case 'decimal128': return types.Decimal128(scalarValue(kind, note[1]));
        default: return types['wrap_' + kind](scalarValue(kind, note[1]));
        }
    }

    // The elements of an array are bare values to rhea's Writer, not typed ones.
    function toElement(note) {
        const kind = note[0];
        if (kind === 'list' || kind === 'map' || kind === 'array') return toTyped(note).value;
        if (kind === 'null') return null;
        return scalarValue(kind, note[1]);
    }

    function fromNative(value) {
        return fromTyped(types.wrap(value));
    }

    // --- whole messages, section by section -----------------------------------------------------------------------

    function digest(octets) {
        return [octets.length, crc32(octets).toString(16).padStart(8, '0')];
    }

    function sectionsFromBytes(encoded, digests) {
        const message = {};
        const reader = new types.Reader(encoded);
        while (reader.remaining()) {
            const section = reader.read();
            const name = SECTIONS[Number(section.descriptor.value)];
            const content = Object.assign(Object.create(Object.getPrototypeOf(section)), section);
            delete content.descriptor;
            if (name === 'data') {
                const key = digests ? 'octets' : 'data';
                message.body = message.body || [key, []];
                message.body[1].push(digests ? digest(content.value) : content.value.toString('hex'));
            } else if (name === 'sequence') {
                message.body = message.body || ['sequence', []];
                message.body[1].push(fromTyped(content)[1]);
            } else if (name === 'value') {
                message.body = ['value', fromTyped(content)];
            } else if (name === 'header' || name === 'properties') {
                const fields = name === 'header' ? HEADER_FIELDS : PROPERTY_FIELDS;
                message[name] = {};
                content.value.forEach((item, i) => {
                    const note = fromTyped(item);
                    if (note[0] !== 'null') message[name][fields[i]] = note;
                });
            } else {
                message[name] = fromTyped(content);
            }
        }
        return message;
    }

    function sectionsToBytes(message) {
        const writer = new types.Writer();
        const put = (name, note) => writer.write(toTyped(['described', ['ulong', String(CODES[name])], note]));
        for (const name of ['header', 'delivery_annotations', 'message_annotations', 'properties',
            'application_properties']) {
            if (message[name] === undefined) continue;
            let note = message[name];
            if (name === 'header' || name === 'properties') {
                const fields = name === 'header' ? HEADER_FIELDS : PROPERTY_FIELDS;
                note = ['list', fields.map((field) => message[name][field] || ['null'])];
            }
            put(name, note);
        }
        const [kind, content] = message.body;
        if (kind === 'value') put('value', content);
        else if (kind === 'data') content.forEach((item) => put('data', ['binary', item]));
        else content.forEach((item) => put('sequence', ['list', item]));
        if (message.footer !== undefined) put('footer', message.footer);
        return writer.toBuffer();
    }

    return { fromTyped, toTyped, fromNative, digest, sectionsFromBytes, sectionsToBytes, HEADER_FIELDS, PROPERTY_FIELDS };
};
