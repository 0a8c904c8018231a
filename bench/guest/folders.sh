# Works in a shared folder, and prints the seconds of each step.
mkdir -p /share
[ -e /share/big ] || mount -t virtiofs linuxrun /share
export HOME=/tmp
git config --global safe.directory '*'
now() { date +%s.%N; }
step() {
  name=$1
  shift
  sync
  begin=$(now)
  "$@" > /tmp/output 2>&1 || cat /tmp/output
  echo "step $name $begin $(now)"
}
step read dd if=/share/big of=/dev/null bs=1M
step write dd if=/dev/zero of=/share/written bs=1M count="$1" conv=fsync
git -C /share/repository status > /dev/null
sleep 2
step git git -C /share/repository status
step untar tar -x -f /share/small.tar -C /share/out
echo end
