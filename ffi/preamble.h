/*
 * ferrion: AMQP 1.0 for any program. Written by `cargo test -p ferrion-ffi` from ffi/src; do not edit.
 *
 * SPDX-License-Identifier: Apache-2.0 OR MIT
 *
 * The rules that hold for every function:
 *
 * Results.    A call that can fail returns a ferrion_status: FERRION_OK or a negative number. ferrion_last_error()
 *             says what went wrong, and what to do, to a person. Results go to `out_` parameters, which are written
 *             only if the call succeeds. An `out_` parameter may be NULL only where its function says so.
 * Objects.    ferrion_messenger_t, ferrion_message_t and the like are made by `_new` and end with their `_free`;
 *             `_free(NULL)` does nothing. Everything else that a function hands out is a number (a handle, never 0,
 *             harmless when stale) or borrowed memory, which nobody frees; the function says how long it stays.
 * Text.       `const char *` is UTF-8 that ends with a NUL.
 * Octets.     `(const uint8_t *data, size_t len)` always go together. What goes in is copied. `data` may be NULL if
 *             `len` is 0.
 * Numbers     for a choice go in as int32_t and are checked: pass the names of the matching enum.
 * Threads.    An object may move between threads, and is used by one at a time. A second call at the same moment is
 *             answered with FERRION_BUSY. Free an object only when no call uses it. A ferrion_interrupter_t may be
 *             used from any thread at any time.
 * Faults.     A fault inside the library never crosses this border: the call answers FERRION_PANIC, and the objects
 *             it worked on answer FERRION_POISONED to everything but their `_free`.
 *
 * C99 or later, C++11 or later.
 */
