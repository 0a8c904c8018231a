"""A shop in SQLite: inserts, an index, joins, aggregates, updates, text search, in a file."""
import sqlite3

print("begin", flush=True)
database = sqlite3.connect("/tmp/shop.db")
database.executescript(
    """
    create table customers(id integer primary key, name text, city text);
    create table orders(id integer primary key, customer integer, amount integer, day integer, note text);
    """
)


def query(sql):
    print(database.execute(sql).fetchall())


with database:
    database.executemany(
        "insert into customers values(?, ?, ?)",
        ((n, f"customer {n * 7919 % 2003}", f"city {n % 37}") for n in range(2_000)),
    )
    database.executemany(
        "insert into orders values(?, ?, ?, ?, ?)",
        ((n, n * 31 % 2000, n * 7919 % 10_007, n % 365, f"order {n} of {n % 97} pieces") for n in range(30_000)),
    )
query("select count(*), sum(amount) from orders where note like '%7 of 4%'")
with database:
    database.execute("create index by_customer on orders(customer, day)")
query(
    """
    select city, count(*), sum(amount), max(day) from orders join customers on customers.id = customer
    group by city order by sum(amount) desc limit 3
    """
)
for customer in range(0, 2_000, 4):
    database.execute("select sum(amount) from orders where customer = ? and day < 200", (customer,)).fetchone()
with database:
    database.execute("update orders set amount = amount + 1 where customer % 5 = 0")
    database.execute("delete from orders where day > 300")
query("select count(*), sum(amount), avg(length(note)) from orders")
query("with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000) select sum(i * i) from n")
query("pragma integrity_check")
print("end", flush=True)
