/*
 * A call that languages need whose waiting is their own: SWIG puts it into what it makes for them. A language's file includes
 * this one after ferrion.i, and says what an answer becomes as for ferrion_messenger_recv.
 */

%{
/* ferrion_messenger_recv, waiting for no time at all. A messenger that blocks tells if there is nothing to wait for; one that
   does not would have its caller wait for ever. */
static ferrion_status ferrion_recv_at_once(ferrion_messenger_t *messenger, int32_t n) {
  int64_t whole = -1;
  ferrion_status status = ferrion_messenger_timeout(messenger, &whole);
  if (status != FERRION_OK) return status;
  ferrion_messenger_set_timeout(messenger, 0);
  ferrion_messenger_set_blocking(messenger, true);
  status = ferrion_messenger_recv(messenger, n);
  ferrion_messenger_set_blocking(messenger, false);
  ferrion_messenger_set_timeout(messenger, whole);
  return status;
}
%}

ferrion_status ferrion_recv_at_once(ferrion_messenger_t *messenger, int32_t n);
