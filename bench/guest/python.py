"""Everyday Python, no extension modules: integers, strings, dictionaries, classes, generators, sorting."""


class Account:
    def __init__(self, name):
        self.name = name
        self.balance = 0
        self.history = []

    def deposit(self, amount):
        self.balance += amount
        self.history.append(amount)

    @property
    def mean(self):
        return self.balance / len(self.history)


class Savings(Account):
    def deposit(self, amount):
        super().deposit(amount + amount // 10)


def random_numbers(count, seed=42):
    for _ in range(count):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        yield seed >> 8


def count_primes(limit):
    sieve = bytearray([1]) * limit
    sieve[0:2] = b"\0\0"
    for n in range(2, int(limit**0.5) + 1):
        if sieve[n]:
            sieve[n * n :: n] = bytes(len(range(n * n, limit, n)))
    return sum(sieve)


def count_words(numbers):
    words = ["".join(chr(97 + (n >> shift) % 26) for shift in (0, 3, 6)) for n in numbers]
    counts = {}
    for word in " ".join(words).title().lower().split():
        counts[word] = counts.get(word, 0) + 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:3]


def keep_accounts(numbers):
    accounts = {}
    for n in numbers:
        name = f"account {n % 100}"
        if name not in accounts:
            accounts[name] = (Savings if n % 3 else Account)(name)
        accounts[name].deposit(n % 1000)
    return round(sum(account.mean for account in accounts.values()), 6)


def queens(size, row=0, columns=0, left=0, right=0):
    if row == size:
        return 1
    found, free = 0, ~(columns | left | right) & ((1 << size) - 1)
    while free:
        bit = free & -free
        free ^= bit
        found += queens(size, row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1)
    return found


def mandelbrot(size, limit=30):
    inside = 0
    for y in range(size):
        for x in range(size):
            c = complex(3 * x / size - 2.2, 3 * y / size - 1.5)
            z = 0j
            for _ in range(limit):
                z = z * z + c
                if abs(z) > 2:
                    break
            else:
                inside += 1
    return inside


print("begin", flush=True)
numbers = list(random_numbers(60_000))
print(count_primes(300_000), queens(8), mandelbrot(90))
print(count_words(numbers))
print(keep_accounts(numbers))
print(2**4000 % 1_000_003, sum(sorted(numbers)[::100]))
print("end", flush=True)
