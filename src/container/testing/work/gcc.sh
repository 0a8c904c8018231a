# Builds a library and a program of $1 files with make.
set -e
mkdir build && cd build
cat > Makefile << 'X'
objects = $(patsubst %.c,%.o,$(wildcard f*.c))
program: main.o libfs.a
	$(CC) -o $@ main.o -L. -lfs
libfs.a: $(objects)
	$(AR) rcs $@ $^
%.o: %.c all.h
	$(CC) -O1 -c -o $@ $<
X
awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) {
  f = "f" i ".c"; print "#include \"all.h\"\nint f" i "(int x) { return x * " i "; }" > f; close(f)
  print "int f" i "(int);" > "all.h"; sum = sum " + f" i "(x)" }
  print "#include <stdio.h>\n#include \"all.h\"\nint main(void) { int x = 3; printf(\"%d\\n\", 0" sum "); }" > "main.c" }'
# A busy host sets the guest's clock some milliseconds late.
skew='Clock skew|in the future'
make -s CC=gcc 2>&1 | grep -E -v "$skew" || :
./program
make -s -q CC=gcc 2> /dev/null
echo 'all is built'
touch f0.c
make -n CC=gcc 2> /dev/null | wc -l
