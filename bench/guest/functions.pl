# Prints a C program with the given number of functions, and with tables, types and small functions around them
# up to the given number of lines. The functions' shapes differ, so that a compiler runs much of its code.
my ($count, $lines, $state) = (@ARGV, 1);
sub pick { $state = ($state * 1103515245 + 12345) & 0x7fffffff; return ($state >> 8) % $_[0] }
my @operators = qw(+ - * ^ & |);
sub operator { $operators[pick(6)] }

my @shapes = (
  sub { my $cases = join '', map { "case $_: return y " . operator() . ' (x ' . operator() . ' ' . (1 + pick(90)) . '); ' } 0 .. 11;
    "switch (x & 15) { ${cases}default: return x / " . (3 + pick(20)) . '; }' },
  sub { 'int t[16] = {0}; for (int i = 0; i < (x & 127); i++) { t[i & 15] ' . operator() . '= y + i; '
    . 'if (t[(i * 7) & 15] > ' . pick(1000) . ') t[(i + ' . pick(16) . ') & 15] -= x; } return t[' . pick(16) . '] + t[3];' },
  sub { 'struct pair p = { x, y, "" }; sprintf(p.text, "%x-%d", p.first, p.second); int h = ' . pick(1000) . '; '
    . 'for (const char *c = p.text; *c; c++) h = h * 33 ^ *c; return h % ' . (100 + pick(1000)) . ';' },
  sub { 'double a = x * 0.' . (1 + pick(99)) . ', b = y + ' . pick(9) . '.5; while (a > 1 && b < 1e9) { a = a / 1.' . (1 + pick(9))
    . ' - 0.25; b += b * 0.5 + a; } return a < 0 ? -1 : (int)b % 1000;' },
  sub { my ($n) = @_; $n < 5 ? 'return x ^ y;'
    : 'return f' . pick($n) . '(y, x & 31) ' . operator() . ' (x > y ? f' . pick($n) . '(x, ' . pick(99) . ') : f' . ($n - 1) . '(y & 63, 2));' },
);

# One statement a line.
sub spread { my ($text) = @_; $text =~ s/(\((?:[^()]++|(?1))*\))|(?<=[;{]) / $1 || "\n" /ge; return $text }

# 39 lines.
sub surround {
  my ($n) = @_;
  my @names = map { "NAME_${n}_$_" } 0 .. 11;
  return "/* The part $n of the program: its names, their values,\n * and what they mean together. */\n"
    . "enum names_$n {\n" . join('', map { "  $_,\n" } @names) . "};\n"
    . "struct part_$n {\n  enum names_$n name;\n  int value;\n  struct part_$n *next;\n};\n"
    . "static const int values_${n}[] = {\n" . join('', map { "  [$_] = " . pick(9999) . ",\n" } @names) . "};\n"
    . "static inline int value_$n(const struct part_$n *part) {\n  return part->value + values_${n}[part->name];\n}\n"
    . "\n";
}

my @functions = map { spread("static int f$_(int x, int y) { " . $shapes[$_ % 5]->($_)) . "\n}\n\n" } 0 .. $count - 1;
my $main = "int main(int argc, char **argv) {\nunsigned s = argc;\n" . join('', map { "s += f$_(s & 255, $_);\n" } 0 .. $count - 1)
  . "printf(\"%u\\n\", s);\nreturn 0;\n}\n";
my $head = "#include <stdio.h>\nstruct pair { int first, second; char text[32]; };\n\n";
my $parts = ($lines - (join('', $head, @functions, $main) =~ tr/\n//)) / 39;
print $head;
for my $n (0 .. $count - 1) {
  print surround($_) for grep { $_ % $count == $n } 0 .. $parts - 1;
  print $functions[$n];
}
print $main;
