module example.com/factorial

go 1.22
