"""Has two processes write $1 rows each to a database in WAL mode, while a third one reads."""

import multiprocessing
import os
import sqlite3
import sys
import time

ROWS = int(sys.argv[1])


def connect():
    return sqlite3.connect('database', timeout=60, isolation_level=None)


def write(start):
    connection = connect()
    for number in range(start, start + ROWS, 10):
        connection.execute('begin immediate')
        connection.executemany('insert into t values (?)', ((n,) for n in range(number, number + 10)))
        connection.execute('commit')


def read():
    connection = connect()
    count = 0
    while count < 2 * ROWS:
        now, least = connection.execute('select count(*), min(n) from t').fetchone()
        assert now % 10 == 0 and now >= count, (now, count)
        count = now
        time.sleep(0.05)


first, second = connect(), connect()
print(first.execute('pragma journal_mode = wal').fetchone())
first.execute('create table t (n integer)')
first.execute('begin')
first.execute('insert into t values (-1)')
print(second.execute('select count(*) from t').fetchone())
first.execute('rollback')
context = multiprocessing.get_context('fork')
children = [context.Process(target=write, args=(0,)), context.Process(target=write, args=(ROWS,)), context.Process(target=read)]
for child in children:
    child.start()
for child in children:
    child.join()
print([child.exitcode for child in children])
print(second.execute('select count(*), sum(n) from t').fetchone())
print(second.execute('pragma integrity_check').fetchone())
print(second.execute('pragma wal_checkpoint(truncate)').fetchone())
first.close()
second.close()
print(sorted(os.listdir('.')))
