# 50 MB of lines like a log's, the same ones always: 250 KB, two hundred times.
use strict;
use warnings;

my $seed = 42;

sub random {
    my ($below) = @_;
    $seed = ($seed * 1103515245 + 12345) & 0x7fffffff;
    return ($seed >> 8) % $below;
}

my @words = map { join '', map { chr 97 + random(26) } 0 .. random(8) } 1 .. 2000;
my $text = '';
while (length $text < 250_000) {
    $text .= join(' ', random(100_000), map { $words[random(40) * random(50)] } 1 .. 8) . "\n";
}
print substr($text, 0, 250_000) x 200;
