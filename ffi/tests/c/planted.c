/* Mistakes made on purpose, one at a time: what a caller can do wrong with memory of the library's, and one that the library
 * would make if it read more than it is given. The sanitizers must end the program. */
#include "check.h"

/* What a caller may look at until the next call on the object. */
static ferrion_bytes_t lent(ferrion_message_t *message) {
  static uint8_t body[5000];
  ferrion_bytes_t octets;
  OK(ferrion_message_set_body_data(message, body, sizeof body));
  OK(ferrion_message_encode(message, &octets));
  return octets;
}

int main(int argc, char **argv) {
  ferrion_message_t *message = ferrion_message_new();
  ferrion_bytes_t octets = lent(message);
  volatile uint8_t seen = octets.data[octets.len - 1];
  volatile int number = 0x7fffffff;
  CHECK(argc == 2);
  if (strcmp(argv[1], "leak") == 0) message = ferrion_message_new();
  else if (strcmp(argv[1], "overflow") == 0) {
    uint8_t *copy = malloc(octets.len);
    memcpy(copy, octets.data, octets.len);
    seen = copy[octets.len + (size_t)argc - 2];
    free(copy);
  } else if (strcmp(argv[1], "overflow-inside") == 0) {
    uint8_t *copy = calloc(1, octets.len);
    OK(ferrion_message_set_body_data(message, copy, octets.len + 1));
    free(copy);
  } else if (strcmp(argv[1], "freed") == 0) {
    ferrion_message_free(message);
    seen = octets.data[0];
    message = NULL;
  } else if (strcmp(argv[1], "undefined") == 0) number++;
  ferrion_message_free(message);
  return (seen ^ seen) + (number != number);
}
