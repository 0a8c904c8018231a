/* Search trees in random balance (treaps), built, split, merged and walked by recursive functions. */
#include "../runtime/runtime.h"

#define NODES 4096
#define CHANGES 60000
#define ROUNDS 3

const char workload_name[] = "trees";
const uint64_t expected = 0x37c051aa5a5370c9;

typedef struct node {
  struct node *left, *right;
  uint32_t key, priority, size;
} node;

static node nodes[NODES];

static uint32_t size_of(const node *tree) { return tree ? tree->size : 0; }

static node *measure(node *tree) {
  tree->size = size_of(tree->left) + 1 + size_of(tree->right);
  return tree;
}

/* Divides a tree into the keys below `key` and the others. */
static void split(node *tree, uint32_t key, node **below, node **others) {
  if (!tree) {
    *below = *others = NULL;
  } else if (tree->key < key) {
    split(tree->right, key, &tree->right, others);
    *below = measure(tree);
  } else {
    split(tree->left, key, below, &tree->left);
    *others = measure(tree);
  }
}

/* All keys of `left` are less than those of `right`. */
static node *merge(node *left, node *right) {
  if (!left || !right) return left ? left : right;
  if (left->priority > right->priority) {
    left->right = merge(left->right, right);
    return measure(left);
  }
  right->left = merge(left, right->left);
  return measure(right);
}

static node *insert(node *tree, node *added) {
  node *below, *others;
  split(tree, added->key, &below, &others);
  return merge(merge(below, added), others);
}

/* Removes the node with the smallest key that is not less than `key`, and stores it in `removed`. */
static node *take(node *tree, uint32_t key, node **removed) {
  node *below, *others, *rest;
  split(tree, key, &below, &others);
  node *first = others;
  while (first && first->left) first = first->left;
  *removed = first;
  if (!first) return below;
  split(others, first->key + 1, &others, &rest);
  return merge(below, rest);
}

static uint64_t walk(const node *tree, uint64_t sum, unsigned depth) {
  if (!tree) return sum;
  sum = walk(tree->left, sum, depth + 1);
  return walk(tree->right, fold(sum, (uint64_t)tree->key << 8 | depth), depth + 1);
}

static unsigned depth_of(const node *tree) {
  if (!tree) return 0;
  unsigned left = depth_of(tree->left), right = depth_of(tree->right);
  return 1 + (left > right ? left : right);
}

static node *plant(node *added, uint64_t *state) {
  uint64_t random = xorshift(state);
  uint32_t key = (random & 0x7fffffff) / NODES * NODES + (added - nodes);
  *added = (node){.key = key, .priority = random >> 32, .size = 1};
  return added;
}

uint64_t workload(void) {
  uint64_t state = 11, sum = 0;
  for (int round = 0; round < ROUNDS; round++) {
    node *tree = NULL;
    for (int i = 0; i < NODES; i++) tree = insert(tree, plant(&nodes[i], &state));
    for (int change = 1; change <= CHANGES; change++) {
      node *removed;
      tree = take(tree, xorshift(&state) & 0x7fffffff, &removed);
      if (removed) tree = insert(tree, plant(removed, &state));
      if (change % 1000 == 0) sum = walk(tree, fold(sum, depth_of(tree)), 0);
    }
    if (size_of(tree) != NODES) return ~0ul;
  }
  return sum;
}
