/* The engine's part of the header, for Python; ../ferrion.i includes this. */

%{
#include "engine.h"
%}

FERRION_RESULT(ferrion_session_t, unsigned long long)
FERRION_RESULT(ferrion_link_t, unsigned long long)
FERRION_RESULT(ferrion_delivery_t, unsigned long long)
FERRION_RESULT(ferrion_role, int)
FERRION_RESULT(ferrion_closing, int)
FERRION_RESULT(ferrion_reason, int)
FERRION_RESULT(ferrion_failure, int)
FERRION_RESULT(ferrion_snd_settle_mode, int)
FERRION_RESULT(ferrion_rcv_settle_mode, int)
FERRION_RESULT(ferrion_sasl_request, int)

FERRION_OBJECT(engine)
FERRION_OBJECT(config)
FERRION_OBJECT(session_config)
FERRION_OBJECT(link_config)
FERRION_OBJECT(link_state)
FERRION_OBJECT(scram)
FERRION_OBJECT(send_options)

/* Structs come out as tuples. */
%define FERRION_PY_STRUCT(NOUN)
%typemap(in, numinputs=0, noblock=1) ferrion_##NOUN##_t * (ferrion_##NOUN##_t told) { $1 = &told; }
%typemap(argout, noblock=1) ferrion_##NOUN##_t * { if (result == FERRION_OK) { FERRION_ADD_RESULT(ferrion_py_##NOUN($1)); } }
%ignore ferrion_##NOUN##_t;
%enddef
FERRION_PY_STRUCT(event)
FERRION_PY_STRUCT(census)
FERRION_PY_STRUCT(update)
FERRION_PY_STRUCT(unsettled)
FERRION_PY_STRUCT(recovery)
FERRION_PY_STRUCT(remembered)
FERRION_PY_STRUCT(incoming)
FERRION_PY_STRUCT(partial)

%apply (const uint8_t *data, size_t len) { (const uint8_t *tag, size_t tag_len) };
%apply const ferrion_value_t *value { const ferrion_value_t *state };
%apply ferrion_value_t *out_value { ferrion_value_t *out_info };
%apply ferrion_bytes_t *out_text { ferrion_bytes_t *out_condition, ferrion_bytes_t *out_description };

/* That nothing more is there is None: each of these is asked until then. */
%define FERRION_PY_ENDS(FUNCTION)
%exception FUNCTION { $action if (result == FERRION_END) result = FERRION_ABSENT; }
%enddef
FERRION_PY_ENDS(ferrion_receiver_next_delivery)
FERRION_PY_ENDS(ferrion_receiver_read_partial)
FERRION_PY_ENDS(ferrion_link_next_update)
FERRION_PY_ENDS(ferrion_link_unsettled)
FERRION_PY_ENDS(ferrion_engine_link_state)
FERRION_PY_ENDS(ferrion_engine_transmit)
FERRION_PY_ENDS(ferrion_engine_poll_trace)

/* Deriving keys takes long, on purpose. */
%thread ferrion_scram_derive;

/* What lends memory to be written to, or an array of structs: what engine.h has instead cannot be misused. */
%ignore ferrion_room_t;
%ignore ferrion_engine_recv_buffer;
%ignore ferrion_engine_recv_filled;
%ignore ferrion_engine_transmit_pieces;
%ignore ferrion_engine_poll_event;
%ignore ferrion_engine_poll_events;
%ignore ferrion_config_login_raw;
