my (%words, $text);
for my $n (1 .. 6000) { my $word = 'w' . $n * 7919 % 997; $words{$word}++; $text .= "$word " if $n % 3 }
my @sorted = sort { $words{$b} <=> $words{$a} || $a cmp $b } keys %words;
my $count = () = $text =~ /w(\d)\d*\1\b/g;
print "@sorted[0 .. 9] $count ", length(join ',', map { sprintf '%05d', $_ ** 2 % 1e5 } 1 .. 3000), "\n";
