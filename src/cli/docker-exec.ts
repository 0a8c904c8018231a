/** `linuxrun exec`. */
import type { WebSocket } from 'ws';
import type { ExecWords } from '../docker/words.ts';
import { parseSignal } from '../options/signals.ts';
import { findContainer } from './client.ts';
import { variablesOf } from './docker-run.ts';
import { CommandError } from './errors.ts';
import type { ExecControl, ExecStart } from './owner-protocol.ts';
import { showOutput } from './remote-output.ts';
import { Sockets } from './sockets.ts';
import { takeTerminal, terminalOptions } from './terminal.ts';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Runs a further process in a container; returns its status. */
export async function dockerExec(words: ExecWords): Promise<number> {
  const { interactive, tty, detach, args, user, currentDir } = words;
  if (interactive && tty && !detach && !process.stdin.isTTY)
    throw new CommandError('the input device is not a TTY');
  const env = await variablesOf(words, process.env);
  const container = await findContainer(await Sockets.open(process.env), words.container);
  const terminal = tty ? terminalOptions() : undefined;
  const start: ExecStart = { args, env, user, currentDir, detach, terminal };
  const socket = container.connect('/exec');
  let restore = () => {};
  socket.once('open', () => {
    socket.send(JSON.stringify(start));
    if (!detach) restore = connectInput(socket, words);
  });
  return showOutput(socket).finally(() => restore());
}

/** @returns a function that restores the terminal */
function connectInput(socket: WebSocket, { interactive, tty }: ExecWords): () => void {
  const control = (message: ExecControl) => socket.send(JSON.stringify(message), () => {});
  for (const signal of FORWARDED)
    process.on(signal, () => control({ type: 'signal', signal: parseSignal(signal) }));
  if (interactive && tty)
    return takeTerminal({
      // Keys that nobody reads any more are lost with the process.
      onKeys: (keys) => socket.send(keys, () => {}),
      onResize: (columns, rows) => control({ type: 'resize', columns, rows }),
      onGone: () => socket.terminate(),
    });
  if (!interactive) control({ type: 'end-of-input' });
  else
    sendInput(socket).then(
      () => control({ type: 'end-of-input' }),
      () => {},
    );
  return () => {};
}

async function sendInput(socket: WebSocket): Promise<void> {
  for await (const bytes of process.stdin)
    await new Promise<void>((resolve, reject) => {
      socket.send(bytes, (error) => (error ? reject(error) : resolve()));
    });
}
