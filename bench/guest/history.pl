# Prints the history of a repository for `git fast-import`: 1500 commits to 300 files of lines like a program's.
use strict;
use warnings;

my $seed = 42;

sub random {
    my ($below) = @_;
    $seed = ($seed * 1103515245 + 12345) & 0x7fffffff;
    return ($seed >> 8) % $below;
}

sub line { return join(' ', 'set', 'name' . random(300), '=', random(1000), '+', 'value' . random(50)) . "\n" }

my @files;
for my $n (1 .. 1500) {
    my %changed;
    for (0 .. random(4)) {
        my $file = @files < 300 && random(2) ? @files : random(@files || 1);
        my $lines = $files[$file] //= [map { line() } 1 .. 20 + random(60)];
        splice @$lines, random(scalar @$lines), random(3), map { line() } 0 .. random(4) for 0 .. random(3);
        $changed{$file} = join '', @$lines;
    }
    my $message = "Change $n: " . join(' ', map { 'word' . random(200) } 0 .. 5 + random(20)) . "\n";
    printf "commit refs/heads/main\ncommitter Author %d <author%d\@example.org> %d +0000\ndata %d\n%s",
        random(20), random(20), 1_700_000_000 + 3600 * $n, length $message, $message;
    for my $file (sort { $a <=> $b } keys %changed) {
        printf "M 100644 inline part%d/file%d.txt\ndata %d\n%s\n", $file % 12, $file, length $changed{$file}, $changed{$file};
    }
}
