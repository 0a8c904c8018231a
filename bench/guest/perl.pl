# Everyday Perl: a log made, matched, split, counted, sorted, and rewritten.
use strict;
use warnings;

$| = 1;
print "begin\n";

my $seed = 42;

sub random {
    my ($below) = @_;
    $seed = ($seed * 1103515245 + 12345) & 0x7fffffff;
    return ($seed >> 8) % $below;
}

my @methods = qw(GET GET GET POST PUT);
my @lines;
for my $n (1 .. 15_000) {
    push @lines, sprintf '10.0.%d.%d - [%02d:%02d:%02d] "%s /item/%d?page=%d" %d %d', random(4), random(256),
        $n / 3600 % 24, $n / 60 % 60, $n % 60, $methods[random(5)], random(500), random(9),
        (200, 200, 304, 404)[random(4)], random(90_000);
}

my (%hits, %bytes, %hours, $missing);
for (@lines) {
    my ($host, $hour, $method, $path, $status, $size) =
        /^(\S+) - \[(\d+):[\d:]+\] "(\w+) ([^?"]+)[^"]*" (\d+) (\d+)$/ or die "no match: $_";
    $hits{$path}++;
    $bytes{$host} += $size;
    $hours{"$hour $method"}++;
    $missing++ if $status eq '404';
}

my @top = (sort { $hits{$b} <=> $hits{$a} || $a cmp $b } keys %hits)[0 .. 4];
my @hosts = (sort { $bytes{$b} <=> $bytes{$a} || $a cmp $b } keys %bytes)[0 .. 4];
print "$_ $hits{$_}\n" for @top;
print "$_ $bytes{$_}\n" for @hosts;
print scalar(keys %hours), " $missing\n";

my $text = join "\n", @lines;
my $changed = $text =~ s{/item/(\d+)}{'/thing/' . $1 * 2}ge;
my $letters = $text =~ tr/a-z//;
my %words;
$words{lc $_}++ for split /\W+/, $text;
print "$changed $letters ", scalar(keys %words), "\n";
print "end\n";
