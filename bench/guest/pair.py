"""Warms up, and then runs a loop in the given number of processes at a time."""
import os
import sys


def work(rounds):
    counts, total = {}, 0
    for n in range(rounds):
        total = (total * 31 + n) % 1_000_003
        counts[total % 97] = counts.get(total % 97, 0) + 1
    return total, max(counts.values())


work(1_500_000)
print("begin", flush=True)
children = []
for _ in range(int(sys.argv[1])):
    child = os.fork()
    if child == 0:
        print(*work(3_000_000), flush=True)
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
print("end", flush=True)
