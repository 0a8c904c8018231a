/** The numbers of the protocol between host and the guest's agent; `docs/agent-protocol.md` defines them. */
import { TIMEBASE } from '../../emulator-wasm/layout.ts';

export const PROTOCOL_VERSION = 8;
export const CONTROL_PORT = 1024;
export const STREAM_PORT = 1025;
/** Bytes of the secret that opens a stream of a process. The guest sends it first. */
export const TOKEN_SIZE = 16;
/** A process has streams for descriptors below this number. */
export const MAX_STREAMS = 4;
export const LENGTH_SIZE = 4;
export const MAX_LENGTH = 1 << 20;
export const NAME_SIZE = 64;
export const MAX_PORT = 0xffff;

export const RUN = 1;
export const HELLO = 2;
export const EXIT = 3;
export const SIGNAL = 4;
export const POWEROFF = 5;
export const CONTAINER = 6;
export const RESIZE = 7;
export const EXEC = 8;
export const READ_FILE = 9;
export const WRITE_FILE = 10;
export const MEASURE = 11;
export const USAGE = 12;
export const STOP = 13;
export const LIST_FOLDER = 14;
export const STAT_FILE = 15;
export const MAKE_FOLDER = 16;
export const REMOVE_FILE = 17;
export const RENAME_FILE = 18;
export const STARTED = 19;
export const NETWORK = 20;
export const FORWARD = 21;
export const KILL = 22;
export const CHANNEL = 23;
export const WATCH_FILE = 24;
export const SUSPEND = 25;
export const SUSPENDED = 26;
export const RESUME = 27;
export const EXPORT = 28;

/** Commands for a forwarder, and their size. */
export const COMMAND_SIZE = 28;
export const CONNECT = 1;
export const CANCEL = 2;
export const WATCH_PORTS = 3;
export const IGNORE_PORTS = 4;
export const ACCEPT = 5;
/** Events of a forwarder, and their size. */
export const EVENT_SIZE = 12;
export const REFUSED = 1;
export const PORT_OPENED = 2;
export const PORT_CLOSED = 3;

export const RUN_CONSOLE = 1;
export const WITH_TERMINAL = 1;
export const WITH_INIT = 2;
export const READ_ONLY = 4;
export const KEPT = 8;
/** RESUME's random bytes. */
export const ENTROPY_SIZE = 32;
/** The guest's ticks are units of this time. */
export const TICK_NANOSECONDS = 1_000_000_000 / TIMEBASE;
export const MOUNT_FIELDS = 4;
export const SAME_MODE = 0xffff_ffff;
export const FOLLOW_LINK = 1;
export const WITH_PARENTS = 1;
export const RECURSIVE = 1;
export const REPLACE = 1;
/** The first byte of the records of a watched file. */
export const FILE_RENAMED = 1;
export const FILE_CHANGED = 2;
/** The flag of a record of a file on which a file system is mounted. */
export const MOUNT_POINT = 1;
/** The numbers of a record of a file, before its name. */
export const RECORD_SIZE = 40;

/** For the test that compares them with those of `kernel/init/message.h`. */
export const CONSTANTS: Readonly<Record<string, number>> = {
  ...{
    PROTOCOL_VERSION,
    CONTROL_PORT,
    STREAM_PORT,
    TOKEN_SIZE,
    MAX_STREAMS,
    LENGTH_SIZE,
    MAX_LENGTH,
    NAME_SIZE,
  },
  ...{
    RUN,
    HELLO,
    EXIT,
    SIGNAL,
    POWEROFF,
    CONTAINER,
    RESIZE,
    EXEC,
    READ_FILE,
    WRITE_FILE,
    MEASURE,
    USAGE,
    STOP,
  },
  ...{
    LIST_FOLDER,
    STAT_FILE,
    MAKE_FOLDER,
    REMOVE_FILE,
    RENAME_FILE,
    STARTED,
    NETWORK,
    FORWARD,
    KILL,
    CHANNEL,
    WATCH_FILE,
    SUSPEND,
    SUSPENDED,
    RESUME,
    EXPORT,
  },
  ...{ COMMAND_SIZE, CONNECT, CANCEL, WATCH_PORTS, IGNORE_PORTS, ACCEPT },
  ...{ EVENT_SIZE, REFUSED, PORT_OPENED, PORT_CLOSED },
  ...{
    RUN_CONSOLE,
    WITH_TERMINAL,
    WITH_INIT,
    READ_ONLY,
    KEPT,
    MOUNT_FIELDS,
    SAME_MODE,
    ENTROPY_SIZE,
    TICK_NANOSECONDS,
  },
  ...{ FOLLOW_LINK, WITH_PARENTS, RECURSIVE, REPLACE, MOUNT_POINT, RECORD_SIZE, FILE_RENAMED, FILE_CHANGED },
};
