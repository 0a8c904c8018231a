/** The flags of `docker run`. */
import { type Flag, flagsOf, idleFlags, refusedFlags } from './flags.ts';

const NO_VOLUMES = 'only folders of this computer can be shared; use -v DIR:/path';
const NO_PRIVILEGES = 'a container always has the privileges that Docker grants without flags';
const OWN_KERNEL = 'a container has a kernel of its own, whose namespaces nothing else shares';
const NO_HARDWARE = "the machine is emulated, without any of this computer's hardware";
const WHOLE_MACHINE = 'a container is alone in its machine, which -m and --cpus bound';
const ONE_NETWORK = 'a container has one network, which leads to the internet, with addresses of its own';
const NOT_WATCHED = 'nothing starts a container again by itself';
const NO_LABELS = 'containers have names only';
const NO_CHECKS = "nothing watches a container's health";
const NO_DRIVER = 'the owner of a container keeps the end of its output, in one way';

/** Those that do something, in the order of the help. */
const SUPPORTED = flagsOf({
  '-i, --interactive': 'keep standard input open; without it the program reads the end of file',
  '-t, --tty': 'give the program a terminal',
  '-d, --detach': 'run in the background, and print the ID of the container',
  '-e, --env list': 'NAME=VALUE: set a variable; NAME alone takes it from this environment',
  '--env-file list': 'read variables from a file with a NAME=VALUE or NAME in each line',
  '-p, --publish list':
    '[ADDRESS:][HOST]:CONTAINER: lead a port of this machine (at 127.0.0.1) to the container',
  '-w, --workdir string': 'work in this folder of the container',
  '-u, --user string': 'USER[:GROUP]: run as this user, by name or number',
  '-m, --memory bytes': 'the memory of the machine, such as 512m (default: 512m)',
  '--cpus decimal': 'the processors of the machine, 1 to 8; a fraction is rounded up (default: 1)',
  '--name string':
    'the name under which the files of the container are kept; a stopped one of the name is started again',
  '-h, --hostname string': "the container's host name",
  '--entrypoint string': "run this program instead of the image's; an empty one only removes the image's",
  '--init': 'put a small init before the program, which passes signals on and reaps orphans',
  '--network network': 'none: no network; bridge: the internet (default)',
  '--device list': 'give the container /dev/fuse or /dev/net/tun',
  '--read-only': "mount the container's root read-only",
  '-v, --volume list': 'DIR:/PATH[:ro]: share a folder of this computer with the container',
  '--tmpfs list': 'PATH[:OPTIONS]: mount an empty file system in memory',
  '--pull string': 'always, missing or never: when to ask the registry for the image (default: missing)',
  '--platform string':
    'linux/riscv64, linux/arm64 or linux/amd64: which image to run; the last two are emulated (default: the first that there is)',
  '-q, --quiet': 'show no progress while the image is pulled',
  '--rm': 'remove the container when it ends, as happens anyway without --name',
});

/** Aliases of Docker, and switches that ask for the only way there is. */
const SILENT = idleFlags('--net network', '--sig-proxy', '--no-healthcheck', '--disable-content-trust');

const REFUSED = [
  ...refusedFlags(NO_VOLUMES, '--mount mount', '--volumes-from list', '--volume-driver string'),
  ...refusedFlags(NO_PRIVILEGES, '--privileged', '--cap-add list', '--cap-drop list', '--security-opt list'),
  ...refusedFlags(NO_PRIVILEGES, '--group-add list', '--device-cgroup-rule list', '--ulimit ulimit'),
  ...refusedFlags(
    OWN_KERNEL,
    '--pid string',
    '--ipc string',
    '--uts string',
    '--userns string',
    '--runtime string',
  ),
  ...refusedFlags(OWN_KERNEL, '--cgroupns string', '--cgroup-parent string', '--isolation string'),
  ...refusedFlags(OWN_KERNEL, '--sysctl map', '--domainname string'),
  ...refusedFlags(NO_HARDWARE, '--gpus gpu-request', '--device-read-bps list', '--device-read-iops list'),
  ...refusedFlags(NO_HARDWARE, '--device-write-bps list', '--device-write-iops list'),
  ...refusedFlags(NO_HARDWARE, '--blkio-weight uint16', '--blkio-weight-device list'),
  ...refusedFlags(
    WHOLE_MACHINE,
    '--memory-swap bytes',
    '--memory-reservation bytes',
    '--memory-swappiness int',
  ),
  ...refusedFlags(WHOLE_MACHINE, '--kernel-memory bytes', '--oom-kill-disable', '--oom-score-adj int'),
  ...refusedFlags(
    WHOLE_MACHINE,
    '-c, --cpu-shares int',
    '--cpu-period int',
    '--cpu-quota int',
    '--cpu-count int',
  ),
  ...refusedFlags(WHOLE_MACHINE, '--cpu-rt-period int', '--cpu-rt-runtime int', '--cpu-percent int'),
  ...refusedFlags(WHOLE_MACHINE, '--cpuset-cpus string', '--cpuset-mems string', '--pids-limit int'),
  ...refusedFlags(WHOLE_MACHINE, '--shm-size bytes', '--storage-opt list', '--io-maxbandwidth bytes'),
  ...refusedFlags(WHOLE_MACHINE, '--io-maxiops uint'),
  ...refusedFlags(ONE_NETWORK, '--dns list', '--dns-option list', '--dns-opt list', '--dns-search list'),
  ...refusedFlags(ONE_NETWORK, '--add-host list', '--ip string', '--ip6 string', '--mac-address string'),
  ...refusedFlags(
    ONE_NETWORK,
    '--link list',
    '--link-local-ip list',
    '--network-alias list',
    '--net-alias list',
  ),
  ...refusedFlags('name each port with -p', '-P, --publish-all', '--expose list'),
  ...refusedFlags(NOT_WATCHED, '--restart string'),
  ...refusedFlags(NO_LABELS, '-l, --label list', '--label-file list', '--annotation map'),
  ...refusedFlags('linuxrun stop has flags for both', '--stop-signal string', '--stop-timeout int'),
  ...refusedFlags(NO_CHECKS, '--health-cmd string', '--health-interval duration', '--health-retries int'),
  ...refusedFlags(NO_CHECKS, '--health-timeout duration', '--health-start-period duration'),
  ...refusedFlags(NO_CHECKS, '--health-start-interval duration'),
  ...refusedFlags(NO_DRIVER, '--log-driver string', '--log-opt list'),
  ...refusedFlags('all standard streams are attached, or with -d none', '-a, --attach list'),
  ...refusedFlags('no keys detach; press Ctrl-] three times to end the container', '--detach-keys string'),
  ...refusedFlags('-d prints the ID of the container', '--cidfile string'),
  ...refusedFlags('there is no daemon whose socket a container could use', '--use-api-socket'),
];

export const RUN_FLAGS: readonly Flag[] = [...SUPPORTED, ...SILENT, ...REFUSED];
