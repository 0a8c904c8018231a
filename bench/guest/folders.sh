# Works in a shared folder, and prints the seconds of each step.
export HOME=/tmp
git config --global safe.directory '*'
now() { date +%s.%N; }
step() {
  name=$1
  shift
  sync
  begin=$(now)
  "$@" > /tmp/output 2>&1 || { cat /tmp/output; exit; }
  echo "step $name $begin $(now)"
}
step read dd if=/share/big of=/dev/null bs=1M
step write dd if=/dev/zero of=/share/$2/written bs=1M count="$1" conv=fsync
git -C /share/repository status > /dev/null
sleep 2
step git git -C /share/repository status
# The guest forgets the files of the repository.
[ -w /proc/sys/vm/drop_caches ] && echo 2 > /proc/sys/vm/drop_caches
step untar tar -x -f /share/small.tar -C /share/$2
echo end
