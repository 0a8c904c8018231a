/*
 * The mix an embedded benchmark uses: linked lists searched, sorted and spliced; small integer
 * matrices; a state machine over number-like text; a bitwise CRC-16 over all results.
 */
#include "../runtime/runtime.h"

#define ROUNDS 18000
#define NODES 60
#define SIDE 12
#define TEXT 400

const char workload_name[] = "mix";
const uint64_t expected = 0x86ac;

static uint16_t crc16(uint16_t sum, uint16_t value) {
  for (int bit = 0; bit < 16; bit++, value >>= 1) sum = (sum ^ value) & 1 ? 0xa001 ^ sum >> 1 : sum >> 1;
  return sum;
}

/* ---- Lists ---- */

typedef struct node {
  struct node *next;
  int16_t value;
  int16_t index;
} node;

static node nodes[NODES];

static node *build_list(uint64_t *state) {
  for (int i = 0; i < NODES; i++) {
    nodes[i] = (node){i + 1 < NODES ? &nodes[i + 1] : NULL, xorshift(state) >> 40 & 0x7ff, i};
  }
  return nodes;
}

static node *find_value(node *list, int16_t value) {
  while (list && list->value != value) list = list->next;
  return list;
}

static node *reverse_list(node *list) {
  node *reversed = NULL;
  while (list) {
    node *next = list->next;
    list->next = reversed;
    reversed = list;
    list = next;
  }
  return reversed;
}

typedef int comparison(const node *a, const node *b);

static int by_value(const node *a, const node *b) { return a->value - b->value; }
static int by_index(const node *a, const node *b) { return a->index - b->index; }

static node *merge(node *a, node *b, comparison *compare) {
  node head, *last = &head;
  while (a && b) {
    node **smaller = compare(a, b) <= 0 ? &a : &b;
    last = last->next = *smaller;
    *smaller = (*smaller)->next;
  }
  last->next = a ? a : b;
  return head.next;
}

static node *sort_list(node *list, comparison *compare) {
  if (!list || !list->next) return list;
  node *middle = list;
  for (node *end = list->next; end && end->next; end = end->next->next) middle = middle->next;
  node *rest = middle->next;
  middle->next = NULL;
  return merge(sort_list(list, compare), sort_list(rest, compare), compare);
}

static uint16_t run_lists(uint16_t sum, uint64_t *state) {
  node *list = build_list(state);
  for (int i = 0; i < 20; i++) {
    node *found = find_value(list, xorshift(state) >> 40 & 0x7ff);
    sum = crc16(sum, found ? found->index : NODES);
    list = reverse_list(list);
  }
  list = sort_list(list, by_value);
  for (node *each = list; each; each = each->next) sum = crc16(sum, each->index);
  list = sort_list(list, by_index);
  return crc16(sum, list->value);
}

/* ---- Matrices ---- */

static int16_t left[SIDE][SIDE], right[SIDE][SIDE];
static int32_t product[SIDE][SIDE];

static uint16_t run_matrices(uint16_t sum, uint64_t *state) {
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      left[i][j] = xorshift(state) >> 50;
      right[i][j] = xorshift(state) >> 50;
    }
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      int32_t cell = 0;
      for (int k = 0; k < SIDE; k++) cell += left[i][k] * right[k][j];
      product[i][j] = cell;
    }
  for (int i = 0; i < SIDE; i++) {
    int32_t best = product[i][0];
    for (int j = 1; j < SIDE; j++) {
      if (product[i][j] > best) best = product[i][j];
      sum += product[i][j] >> 3 & 0x1f;
    }
    sum = crc16(sum, best);
  }
  return sum;
}

/* ---- State machine: classifies comma-separated words as integers, decimals, exponents, or wrong ---- */

enum { START, SIGN, INTEGER, POINT, FRACTION, EXPONENT, EXPONENT_SIGN, SCIENTIFIC, INVALID, STATES };

static char text[TEXT];

static int is_digit(char c) { return c >= '0' && c <= '9'; }

static int next_state(int state, char c) {
  switch (state) {
    case START:
      if (c == '+' || c == '-') return SIGN;
      return is_digit(c) ? INTEGER : c == '.' ? POINT : INVALID;
    case SIGN: return is_digit(c) ? INTEGER : c == '.' ? POINT : INVALID;
    case INTEGER:
      if (c == '.') return FRACTION;
      return is_digit(c) ? INTEGER : c == 'e' ? EXPONENT : INVALID;
    case POINT: return is_digit(c) ? FRACTION : INVALID;
    case FRACTION: return is_digit(c) ? FRACTION : c == 'e' ? EXPONENT : INVALID;
    case EXPONENT:
      if (c == '+' || c == '-') return EXPONENT_SIGN;
      return is_digit(c) ? SCIENTIFIC : INVALID;
    case EXPONENT_SIGN: return is_digit(c) ? SCIENTIFIC : INVALID;
    case SCIENTIFIC: return is_digit(c) ? SCIENTIFIC : INVALID;
    default: return INVALID;
  }
}

static uint16_t run_states(uint16_t sum, uint64_t *state) {
  static const char alphabet[] = "0123456789012345678901234567,,,.+-e,";
  uint16_t finals[STATES] = {0};
  for (int i = 0; i < TEXT; i++) text[i] = alphabet[(xorshift(state) >> 40) % (sizeof alphabet - 1)];
  int current = START;
  for (int i = 0; i < TEXT; i++) {
    if (text[i] == ',') {
      finals[current]++;
      current = START;
    } else {
      current = next_state(current, text[i]);
    }
  }
  for (int i = 0; i < STATES; i++) sum = crc16(sum, finals[i]);
  return sum;
}

uint64_t workload(void) {
  uint64_t state = 2024;
  uint16_t sum = 0;
  for (int round = 0; round < ROUNDS; round++) {
    sum = run_lists(sum, &state);
    sum = run_matrices(sum, &state);
    sum = run_states(sum, &state);
  }
  return sum;
}
