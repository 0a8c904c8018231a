import { join } from 'node:path';

export const KILLED_IMAGE = `oci://${join(import.meta.dirname, '../../../public/images')}:busybox`;

/** The first generation of the script. */
export const FIRST = 11;

/** What a process does until it is killed. */
export type Role = 'save' | 'leave' | 'suspend' | 'files' | 'manage';

/**
 * A program whose memory and files belong together. `mark` begins the next generation, with a synced file of
 * its own; `check` compares the files of the last ones with the hashes in its memory. Meanwhile another
 * process writes what nobody syncs.
 */
export const KILLED_SCRIPT = `
  mkdir -p /d; cd /d; K=$(cat k 2>/dev/null || echo ${FIRST - 1})
  hash() { sha256sum < s$1 | cut -c 1-64; }
  (while true; do dd if=/dev/urandom of=u bs=1k count=$((1 + RANDOM % 150)) 2>/dev/null; mv u v; sleep 0.02; done) &
  while read command; do
    if [ $command = mark ]; then
      K=$((K + 1)); dd if=/dev/urandom of=s$K bs=1k count=$((1 + K * 53 % 200)) 2>/dev/null
      eval "h$K=$(hash $K)"; echo $K > k; rm -f s$((K - 4)); sync; eval "echo mark $K \\$h$K"
    else
      bad=; for i in $((K - 2)) $((K - 1)) $K; do
        eval "want=\\$h$i"; [ "$want" ] && [ "$(hash $i)" != "$want" ] && bad=$i
      done; echo check $K $bad
    fi
  done`;
