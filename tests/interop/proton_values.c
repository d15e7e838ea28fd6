/* Reads values with Proton's codec and says what they are: the other half of tests/tests/differential_proton.rs.
 *
 *   proton_values FILE FIRST
 *
 * FILE has inputs, each after its length in four octets. For each from the one with the number FIRST on, a line: "refused", or
 * how many octets the value took, and the value in a notation that both sides write. A line is out before the next input is read,
 * so that the number of lines tells which input ended the program, if one does. */
#include <inttypes.h>
#include <proton/codec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void hex(const void *octets, size_t size) {
    const unsigned char *at = octets;
    for (size_t i = 0; i < size; i++) printf("%02x", at[i]);
}

static void show(pn_data_t *data);

static void show_children(pn_data_t *data) {
    pn_data_enter(data);
    while (pn_data_next(data)) {
        putchar(' ');
        show(data);
    }
    pn_data_exit(data);
}

static void show(pn_data_t *data) {
    pn_atom_t atom = pn_data_get_atom(data);
    switch (pn_data_type(data)) {
    case PN_NULL: printf("null"); break;
    case PN_BOOL: printf(atom.u.as_bool ? "true" : "false"); break;
    case PN_UBYTE: printf("ubyte:%" PRIu8, atom.u.as_ubyte); break;
    case PN_BYTE: printf("byte:%" PRId8, atom.u.as_byte); break;
    case PN_USHORT: printf("ushort:%" PRIu16, atom.u.as_ushort); break;
    case PN_SHORT: printf("short:%" PRId16, atom.u.as_short); break;
    case PN_UINT: printf("uint:%" PRIu32, atom.u.as_uint); break;
    case PN_INT: printf("int:%" PRId32, atom.u.as_int); break;
    case PN_CHAR: printf("char:%" PRIu32, (uint32_t) atom.u.as_char); break;
    case PN_ULONG: printf("ulong:%" PRIu64, atom.u.as_ulong); break;
    case PN_LONG: printf("long:%" PRId64, atom.u.as_long); break;
    case PN_TIMESTAMP: printf("timestamp:%" PRId64, (int64_t) atom.u.as_timestamp); break;
    case PN_FLOAT: {
        uint32_t bits;
        memcpy(&bits, &atom.u.as_float, sizeof bits);
        printf("float:%08" PRIx32, bits);
        break;
    }
    case PN_DOUBLE: {
        uint64_t bits;
        memcpy(&bits, &atom.u.as_double, sizeof bits);
        printf("double:%016" PRIx64, bits);
        break;
    }
    case PN_DECIMAL32: printf("decimal32:%08" PRIx32, (uint32_t) atom.u.as_decimal32); break;
    case PN_DECIMAL64: printf("decimal64:%016" PRIx64, (uint64_t) atom.u.as_decimal64); break;
    case PN_DECIMAL128: printf("decimal128:"); hex(&atom.u.as_decimal128, 16); break;
    case PN_UUID: printf("uuid:"); hex(&atom.u.as_uuid, 16); break;
    case PN_BINARY: printf("binary:"); hex(atom.u.as_bytes.start, atom.u.as_bytes.size); break;
    case PN_STRING: printf("string:"); hex(atom.u.as_bytes.start, atom.u.as_bytes.size); break;
    case PN_SYMBOL: printf("symbol:"); hex(atom.u.as_bytes.start, atom.u.as_bytes.size); break;
    case PN_DESCRIBED: printf("(described"); show_children(data); putchar(')'); break;
    case PN_ARRAY:
        printf("(array:%s%s", pn_type_name(pn_data_get_array_type(data)),
               pn_data_is_array_described(data) ? " described" : "");
        show_children(data);
        putchar(')');
        break;
    case PN_LIST: printf("(list"); show_children(data); putchar(')'); break;
    case PN_MAP: printf("(map"); show_children(data); putchar(')'); break;
    default: printf("unknown"); break;
    }
}

int main(int argc, char **argv) {
    FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;
    if (!file) return 2;
    unsigned long first = strtoul(argv[2], NULL, 10);
    unsigned char length[4];
    pn_data_t *data = pn_data(16);
    for (unsigned long number = 0; fread(length, 1, 4, file) == 4; number++) {
        size_t size = (size_t) length[0] << 24 | length[1] << 16 | length[2] << 8 | length[3];
        /* Of its very size, so that a tool sees what is read beyond it. */
        char *octets = malloc(size ? size : 1);
        if (!octets || fread(octets, 1, size, file) != size) return 2;
        if (number >= first) {
            pn_data_clear(data);
            ssize_t used = pn_data_decode(data, octets, size);
            pn_data_rewind(data);
            if (used < 0 || !pn_data_next(data)) {
                printf("refused");
            } else {
                printf("%zd ", used);
                show(data);
            }
            putchar('\n');
            fflush(stdout);
        }
        free(octets);
    }
    pn_data_free(data);
    return 0;
}
